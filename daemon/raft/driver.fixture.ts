import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { RaftDriver } from "./driver.ts";
import { DriverError } from "./driver-error.ts";
import type { CommittedEntry, DriverOptions } from "./driver-options.ts";
import { MemoryNetwork } from "./memory-transport.ts";
import type { RecordChange, Restoration, StateMachine } from "./state-machine.ts";

/** Ten times as fast as the real one. */
export const FAST_TIMING = { tickMs: 10, electionTicks: 10, heartbeatTicks: 2 };

/** So little of the log stays that who misses some entries needs a snapshot. */
export const KEEP_LITTLE = {
  entriesKeptMin: 10,
  entriesKeptBytesMax: 2 ** 20,
  compactedPerBatchMin: 5,
  compactedPerBatchMax: 20,
  heldEntriesMax: 500,
  heldBytesMax: 2 ** 20,
};

export interface TestMember {
  readonly id: number;
  readonly driver: RaftDriver;
  /** What was applied in this run and, by its records, in those before it; in order, as `index:text`. */
  readonly applied: string[];
  readonly fatal: Error[];
}

/** A state that is the list of all that was applied, with a record for each. */
export class AppliedList implements StateMachine {
  readonly #applied: string[];
  #stored: number;

  constructor(applied: string[]) {
    this.#applied = applied;
    this.#stored = applied.length;
  }

  apply({ index, data }: CommittedEntry): string {
    const text = Buffer.from(data).toString();
    this.#applied.push(`${index}:${text}`);
    return `applied ${text}`;
  }

  takeChanges(): RecordChange[] {
    const fresh = this.#applied.slice(this.#stored);
    this.#stored = this.#applied.length;
    return fresh.map((line) => ({ key: line.slice(0, line.indexOf(":")), value: Buffer.from(line) }));
  }

  restore(): Restoration {
    const lines: string[] = [];
    return {
      put: (_key, value) => void lines.push(Buffer.from(value).toString()),
      finish: () => {
        lines.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
        this.#applied.splice(0, this.#applied.length, ...lines);
        this.#stored = lines.length;
      },
    };
  }
}

/** Members with real logs in temporary folders, on a network of this process. */
export class TestGroup {
  readonly network = new MemoryNetwork();
  readonly #members = new Map<number, TestMember>();
  #folder: string | null = null;

  /** Starts a member, or starts it again on the log that it left. */
  async start(
    id: number,
    founders: readonly number[] | null = null,
    options: Partial<Pick<DriverOptions, "openLog" | "compaction" | "timing">> = {},
  ): Promise<TestMember> {
    this.#folder ??= await mkdtemp(join(tmpdir(), "gpumesh-raft-"));
    const applied: string[] = [];
    const fatal: Error[] = [];
    const driver = await RaftDriver.start({
      id,
      meshId: "mesh",
      folder: this.folderOf(id),
      transport: this.network.join(id),
      machine: new AppliedList(applied),
      bootstrap: founders === null ? null : { voters: founders },
      onFatal: (error) => void fatal.push(error),
      timing: FAST_TIMING,
      ...options,
    });
    const member = { id, driver, applied, fatal };
    this.#members.set(id, member);
    return member;
  }

  async startAll(
    ids: readonly number[],
    options: Partial<Pick<DriverOptions, "compaction" | "timing">> = {},
  ): Promise<void> {
    for (const id of ids) await this.start(id, ids, options);
  }

  folderOf(id: number): string {
    if (this.#folder === null) throw new Error("no member was started yet");
    return join(this.#folder, `member-${id}`);
  }

  member(id: number): TestMember {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`member ${id} does not run`);
    return member;
  }

  get members(): readonly TestMember[] {
    return [...this.#members.values()];
  }

  async stop(id: number): Promise<void> {
    await this.member(id).driver.stop();
    this.#members.delete(id);
  }

  /** Ends it as the end of its process does, which the others are told. */
  async crash(id: number): Promise<void> {
    this.network.crash(id);
    await this.stop(id);
  }

  /** The member that leads with the highest term, once it has applied its first entry. */
  async leader(among: readonly number[] = [...this.#members.keys()]): Promise<TestMember> {
    return vi.waitFor(
      () => {
        const leaders = among
          .map((id) => this.member(id))
          .filter(({ driver }) => driver.leadsWithAppliedNoop());
        const newest = leaders.toSorted((a, b) => b.driver.status().term - a.driver.status().term)[0];
        if (newest === undefined) throw new Error("there is no leader");
        return newest;
      },
      { timeout: 10_000, interval: 5 },
    );
  }

  /** Waits until all have applied everything that the most advanced has. */
  async converge(): Promise<void> {
    await vi.waitFor(
      () => {
        const indexes = this.members.map(({ driver }) => driver.status().applied);
        if (new Set(indexes).size !== 1) throw new Error(`applied up to ${indexes.join(", ")}`);
      },
      { timeout: 10_000, interval: 5 },
    );
  }

  async close(): Promise<void> {
    for (const id of this.#members.keys()) await this.stop(id);
    if (this.#folder !== null) await rm(this.#folder, { recursive: true });
    this.#folder = null;
  }
}

/** Proposes until it is applied; each refusal must be one that allows to try again. */
export async function proposeSurely(group: TestGroup, text: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const leader = await group.leader();
    try {
      await leader.driver.propose(Buffer.from(text));
      return;
    } catch (error) {
      if (!(error instanceof DriverError) || error.code === "too-large") throw error;
    }
  }
  throw new Error(`${text} could not be proposed`);
}
