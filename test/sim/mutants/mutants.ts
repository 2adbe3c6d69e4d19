import { CORE_MUTANTS } from "./core-mutants.ts";
import { LOG_MUTANTS } from "./log-mutants.ts";
import type { Mutant } from "./mutant.ts";

/** Bugs of the list without a mutant, and why. */
export const NOT_PLANTED: Readonly<Record<string, string>> = {
  "26": "needs leases, which are not simulated",
};

const TICK =
  "    this.#stopTicks = this.#environment.every(timing.tickMs, () => {\n" +
  "      this.#environment.soon(() => {\n" +
  '        if (this.#phase !== "running") return;\n' +
  "        this.#ticks++;\n" +
  "        this.#loop.tick();\n" +
  "      });\n" +
  "    });";

const CLOCKED_TICK =
  "    let last = CLOCK.now();\n" +
  "    this.#stopTicks = this.#environment.every(timing.tickMs, () => {\n" +
  "      this.#environment.soon(() => {\n" +
  "        for (; CLOCK.now() - last >= timing.tickMs; last += timing.tickMs)\n" +
  '          if (this.#phase === "running") this.#loop.tick();\n' +
  "      });\n" +
  "    });";

/** Bugs of the driver, of the state machine, and of whom a member lets in or lets vote. */
const DRIVER_MUTANTS: readonly Mutant[] = [
  {
    bug: "9c",
    what: "a read does not wait until its index is applied",
    edits: [
      { file: "daemon/raft/read-rounds.ts", find: "      if (round.index <= index) for", put: "      for" },
      {
        file: "daemon/raft/read-rounds.ts",
        find: "this.#confirmed.filter((round) => round.index > index)",
        put: "this.#confirmed.filter((round) => round.index > index + 1_000_000)",
      },
    ],
  },
  {
    bug: "9d",
    what: "a process numbers its reads as the one before it did, and takes the answers to those",
    edits: [
      {
        file: "daemon/raft/driver.ts",
        find: "nonce: this.#environment.randomBytes(READ_NONCE_BYTES),",
        put: "nonce: new Uint8Array(READ_NONCE_BYTES),",
      },
    ],
  },
  {
    bug: "11",
    what: "a leader whose disk hangs goes on leading",
    edits: [
      {
        file: "daemon/raft/raft-loop.ts",
        find: "const stalled = this.#writer.writingTicks >= timing.electionTicks;",
        put: "const stalled = this.#writer.writingTicks >= timing.electionTicks * 1_000_000;",
      },
    ],
  },
  {
    bug: "18a",
    what: "ticks are made up for by the clock, before what waited is read",
    edits: [
      {
        file: "daemon/raft/driver.ts",
        find: TICK,
        put:
          "    let last = performance.now();\n" +
          "    this.#stopTicks = this.#environment.every(timing.tickMs, () => {\n" +
          "      for (; performance.now() - last >= timing.tickMs; last += timing.tickMs)\n" +
          '        if (this.#phase === "running") this.#loop.tick();\n' +
          "    });",
      },
    ],
  },
  {
    bug: "18b",
    what: "ticks are made up for by the clock, after what waited is read",
    edits: [
      {
        file: "daemon/raft/driver.ts",
        find: TICK,
        put: CLOCKED_TICK.replaceAll("CLOCK", "performance"),
      },
    ],
  },
  {
    bug: "19",
    what: "ticks are counted by the wall clock",
    edits: [
      {
        file: "daemon/raft/driver.ts",
        find: TICK,
        put: CLOCKED_TICK.replaceAll("CLOCK", "Date"),
      },
    ],
  },
  {
    bug: "20",
    what: "a repeated request makes another job",
    edits: [
      {
        file: "scheduler/state/apply-jobs.ts",
        find: "  if (known !== null) return",
        put: "  if (known !== null && known.id > 1_000_000) return",
      },
    ],
  },
  {
    bug: "21",
    what: "applying reads the clock",
    edits: [
      {
        file: "scheduler/state/apply-jobs.ts",
        find: "submittedAt: command.at",
        put: "submittedAt: performance.now()",
      },
    ],
  },
  {
    bug: "23a",
    what: "a learner becomes a voter before it has the log",
    edits: [
      {
        file: "daemon/voters/members.ts",
        find: "  return match > 0 && match + ENTRIES_BEHIND_MAX >= lastIndex;",
        put: "  return match + lastIndex > 0;",
      },
    ],
  },
  {
    bug: "23b",
    what: "even numbers of voters",
    edits: [
      {
        file: "daemon/voters/wanted-voters.ts",
        find: "  const seats = steady >= 5 ? 5 : candidates.length >= 3 ? 3 : 1;",
        put: "  const seats = steady >= 5 ? 5 : candidates.length;",
      },
    ],
  },
  {
    bug: "27",
    what: "a store that has forgotten what it promised is let in",
    edits: [
      {
        file: "daemon/raft/peer-identity.ts",
        find: "  if (found >= known.batch) return null;",
        put: "  if (found >= 0) return null;",
      },
      {
        file: "daemon/raft/peer-identity.ts",
        find: "  if (lastIndex < judge.counted) {",
        put: "  if (lastIndex < 0) {",
      },
    ],
  },
];

/** In the order of the list. */
export const MUTANTS: readonly Mutant[] = [...CORE_MUTANTS, ...LOG_MUTANTS, ...DRIVER_MUTANTS].toSorted(
  (a, b) => a.bug.localeCompare(b.bug, "en", { numeric: true }),
);
