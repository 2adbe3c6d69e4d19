import { randomBytes } from "node:crypto";
import type { DatabaseIterator, LogDatabase } from "./log-device.ts";
import { LogIdentity } from "./log-identity.ts";
import { PeerGate } from "./peer-gate.ts";
import type { PeerRefusal } from "./peer-identity.ts";
import { PeerRefusals } from "./peer-refusals.ts";
import { LogError } from "./raft-log.ts";
import type { Introduction } from "./transport.ts";

type Image = ReadonlyMap<string, Buffer>;

/** A store that can be opened again and again, and put back to what it was. */
export class TestStore {
  readonly #values = new Map<string, Buffer>();

  /** The newest batch that an opening finds. */
  batch = 0;

  /** As a daemon that starts opens it. */
  open(): Promise<LogIdentity> {
    return LogIdentity.open(this.#database(), {
      folder: "test",
      foundBatch: this.batch,
      randomBytes,
      fail: (error) => new LogError("storage", String(error)),
    });
  }

  image(): { readonly values: Image; readonly batch: number } {
    return { values: new Map(this.#values), batch: this.batch };
  }

  putBack({ values, batch }: { readonly values: Image; readonly batch: number }): void {
    this.#values.clear();
    for (const [key, value] of values) this.#values.set(key, value);
    this.batch = batch;
  }

  #database(): LogDatabase {
    const values = this.#values;
    const unused = (): never => {
      throw new Error("not part of an identity");
    };
    return {
      location: "test",
      status: "open",
      open: () => Promise.resolve(),
      get: (key) => Promise.resolve(values.get(key.toString("latin1"))),
      batch: (operations) => {
        for (const operation of operations) {
          const key = operation.key.toString("latin1");
          if (operation.type === "put") values.set(key, operation.value);
          else values.delete(key);
        }
        return Promise.resolve();
      },
      iterator: ({ gte, lt }): DatabaseIterator => ({
        nextv: unused,
        close: () => Promise.resolve(),
        async *[Symbol.asyncIterator]() {
          for (const [text, value] of values) {
            const key = Buffer.from(text, "latin1");
            if (key.compare(gte) >= 0 && key.compare(lt) < 0) yield [key, value];
          }
        },
      }),
      keys: unused,
      snapshot: unused,
      close: () => Promise.resolve(),
    };
  }
}

export interface TestIntroduction extends Introduction {
  readonly identity: LogIdentity;
  /** Lines about what was refused. */
  readonly lines: string[];
  /** What others have refused, as they said it. */
  readonly refusedBy: (PeerRefusal & { readonly member: number; readonly byLeader: boolean })[];
  readonly admittedBy: number[];
}

/** A member's side of the handshake, without the member. */
export async function introduce(
  member: number,
  store: TestStore = new TestStore(),
  options: { readonly meshId?: string; readonly leads?: boolean; readonly counted?: number } = {},
): Promise<TestIntroduction> {
  const { meshId = "mesh", leads = false, counted = 0 } = options;
  const identity = await store.open();
  const lines: string[] = [];
  const refusals = new PeerRefusals({ after: () => () => {} }, (line) => lines.push(line));
  const gate = new PeerGate({
    id: member,
    meshId,
    place: () => ({ lastIndex: 0, term: 1 }),
    identity,
    refusals,
    counted: () => counted,
    leads: () => leads,
  });
  const refusedBy: TestIntroduction["refusedBy"] = [];
  const admittedBy: number[] = [];
  return {
    identity,
    gate,
    lines,
    refusedBy,
    admittedBy,
    syncedBatch: () => store.batch,
    admitted: (by) => void admittedBy.push(by),
    refused: (by, refusal, byLeader) => void refusedBy.push({ ...refusal, member: by, byLeader }),
  };
}
