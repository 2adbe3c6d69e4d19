import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Command } from "../model/command.ts";
import { apply } from "./apply.ts";
import { canonicalState } from "./digest.ts";
import { checkInvariants } from "./invariants.ts";
import { recordsOf, restoreState } from "./records.ts";
import { createState, type State } from "./state.ts";
import { TestCluster } from "./cluster.fixture.ts";
import { bringUp, commandOf, histories, type Step } from "./history.fixture.ts";

const STATES = ["queued", "starting", "running", "terminating", "succeeded", "failed", "cancelled"];

describe("any history", () => {
  it("keeps every invariant at every step, and a refused command changes nothing", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(histories(200), (steps) => {
        // The cluster checks all of it after every command, and throws.
        const cluster = live(steps, (command, kind) => {
          const outcome = `${command.kind} ${kind === "refused" ? "refused" : "applied"}`;
          seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        });
        for (const job of cluster.state.jobs.values()) seen.set(job.state.kind, 1);
      }),
      { numRuns: 300 },
    );
    // The property means something only if the histories get everywhere.
    const commands = ["placeGang", "startGang", "reportPart", "expireNode", "cancelJob"];
    const everywhere = [
      ...commands.flatMap((command) => [`${command} applied`, `${command} refused`]),
      ...STATES,
    ];
    expect(everywhere.filter((place) => !seen.has(place))).toEqual([]);
  });

  it("gives equal states and equal results on every replica", () => {
    fc.assert(
      fc.property(histories(100), (steps) => {
        const { log, state } = live(steps);
        const replica = createState();
        // A replica reads its commands from disk.
        const read = JSON.parse(JSON.stringify(log)) as Command[];
        read.forEach((command, i) => apply(replica, command, i + 1));
        expect(canonicalState(replica)).toBe(canonicalState(state));
      }),
      { numRuns: 50 },
    );
  });

  it("goes on from a snapshot as it would have from the log", () => {
    fc.assert(
      fc.property(histories(100), fc.nat({ max: 100 }), (steps, cut) => {
        const { log, state } = live(steps);
        const before = replay(log.slice(0, cut));
        const records = JSON.parse(JSON.stringify([...recordsOf(before)])) as ReturnType<typeof recordsOf>;
        const restored = restoreState(records, before.version);
        checkInvariants(restored);
        expect(canonicalState(restored)).toBe(canonicalState(before));
        log.slice(cut).forEach((command, i) => {
          apply(restored, command, Math.min(cut, log.length) + i + 1);
        });
        expect(canonicalState(restored)).toBe(canonicalState(state));
      }),
      { numRuns: 50 },
    );
  });
});

describe("apply", () => {
  it("takes the index of the last command as its version, refused or not, over gaps", () => {
    const state = createState();
    const cancel = { kind: "cancelJob", at: 1, job: 1, by: "bob" } as Command;
    expect(apply(state, cancel, 7)).toMatchObject({ kind: "refused" });
    expect(state.version).toBe(7);
  });

  it("stops at an index that does not rise", () => {
    const state = createState();
    const cancel = { kind: "cancelJob", at: 1, job: 1, by: "bob" } as Command;
    apply(state, cancel, 7);
    expect(() => apply(state, cancel, 7)).toThrow("index 7 was applied after index 7");
  });
});

function live(steps: readonly Step[], told?: (command: Command, kind: string) => void): TestCluster {
  const cluster = new TestCluster();
  bringUp(cluster);
  for (const step of steps) {
    const command = commandOf(cluster, step);
    const result = cluster.apply(command);
    told?.(command, result.kind);
  }
  return cluster;
}

function replay(log: readonly Command[]): State {
  const state = createState();
  log.forEach((command, i) => apply(state, command, i + 1));
  return state;
}
