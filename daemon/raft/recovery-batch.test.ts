import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bootstrapBatch } from "./bootstrap.ts";
import { encodeConfChange } from "./core/core.ts";
import type { ConfChangeSingle, ConfChangeTransition, Entry } from "./core/core.ts";
import { RaftDriver } from "./driver.ts";
import { LevelLog } from "./level-log.ts";
import { MemoryNetwork } from "./memory-transport.ts";
import { PROPOSAL_ID_BYTES } from "./proposals.ts";
import { otherMembers, recoveryBatch, TERMS_LEFT_OUT } from "./recovery-batch.ts";
import type { StateMachine } from "./state-machine.ts";

let folder: string;
beforeEach(() => (folder = join(mkdtempSync(join(tmpdir(), "gm-recovery-")), "raft")));
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

/** Keeps the commands in the order in which they were applied. */
class Notes implements StateMachine {
  readonly applied: string[] = [];
  apply({ data }: { readonly data: Uint8Array }): string {
    const text = Buffer.from(data).toString();
    this.applied.push(text);
    return text;
  }
  takeChanges(): readonly never[] {
    return [];
  }
  restore(): { put: () => void; finish: () => void } {
    return { put: () => undefined, finish: () => undefined };
  }
}

const command = (text: string, index: number, term = 2): Entry => {
  const data = Buffer.concat([Buffer.alloc(PROPOSAL_ID_BYTES, 7), Buffer.from(text)]);
  return { term, index, type: "EntryNormal", data };
};

function change(
  index: number,
  transition: ConfChangeTransition,
  ...changes: readonly ConfChangeSingle[]
): Entry {
  return {
    term: 2,
    index,
    ...encodeConfChange({ kind: "v2", transition, changes, context: new Uint8Array() }),
  };
}

const add = (nodeId: number): ConfChangeSingle => ({ type: "ConfChangeAddNode", nodeId });
const remove = (nodeId: number): ConfChangeSingle => ({ type: "ConfChangeRemoveNode", nodeId });
const learn = (nodeId: number): ConfChangeSingle => ({ type: "ConfChangeAddLearnerNode", nodeId });

/** A log of voters 1, 2, 3 in which only the bootstrap is known to be committed, with these entries behind it. */
async function writeLog(...behind: readonly Entry[]): Promise<void> {
  const log = await LevelLog.open(folder, { onFatal: () => undefined });
  await log.append(bootstrapBatch([1, 2, 3]));
  const hardState = { term: 2, vote: 1, commit: 3 };
  await log.append({ entries: behind, hardState, applied: null, compactTo: null, install: null });
  await log.close();
}

async function recover(survivor: number): Promise<void> {
  const log = await LevelLog.open(folder, { onFatal: () => undefined });
  await log.append(recoveryBatch(log.recovered, survivor, Buffer.from("recovered")));
  await log.close();
}

describe("a recovered member", () => {
  const cases: readonly (readonly [what: string, survivor: number, tail: readonly Entry[]])[] = [
    ["that is a voter", 3, [command("a", 4), command("b", 5)]],
    [
      "whose log ends in a joint membership",
      1,
      [command("a", 4), change(5, "ConfChangeTransitionJointExplicit", add(4), remove(1)), command("b", 6)],
    ],
    [
      "whose log was about to leave a joint membership by itself",
      2,
      [command("a", 4), change(5, "ConfChangeTransitionAuto", add(4), add(5), remove(2)), command("b", 6)],
    ],
    [
      "that is a learner",
      9,
      [command("a", 4), change(5, "ConfChangeTransitionAuto", learn(9)), command("b", 6)],
    ],
    ["that is no member", 8, [command("a", 4), command("b", 5)]],
  ];
  for (const [what, survivor, tail] of cases) {
    it(`${what} leads alone, with all that its log held`, async () => {
      await writeLog(...tail);
      await recover(survivor);
      const machine = new Notes();
      const driver = await RaftDriver.start({
        id: survivor,
        meshId: "mesh",
        folder,
        transport: new MemoryNetwork().join(survivor),
        machine,
        bootstrap: null,
        onFatal: (error) => {
          throw error;
        },
      });
      expect(machine.applied).toEqual(["a", "b", "recovered"]);
      await vi.waitFor(() => expect(driver.leadsWithAppliedNoop()).toBe(true));
      await driver.propose(Buffer.from("after"));
      expect(driver.status()).toMatchObject({ role: "leader", voters: [survivor], learners: [] });
      expect(driver.status().term).toBeGreaterThan(TERMS_LEFT_OUT);
      expect(driver.status().confState.votersOutgoing).toEqual([]);
      await driver.stop();
    });
  }
});

it("knows all members that a log names, also in changes that may not be committed", async () => {
  await writeLog(
    change(4, "ConfChangeTransitionAuto", learn(7)),
    change(5, "ConfChangeTransitionAuto", add(4), remove(3)),
  );
  const log = await LevelLog.open(folder, { onFatal: () => undefined });
  expect(otherMembers(log.recovered, 3)).toEqual([1, 2, 4, 7]);
  await log.close();
});
