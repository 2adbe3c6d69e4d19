import type { Mutant } from "./mutant.ts";

const CORE = "daemon/raft/core";

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

/** In what a member does around the core: time, applying, sizes and limits. */
export const MEMBER_BUGS: readonly Mutant[] = [
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
    bug: "24a",
    what: "a snapshot travels in one piece",
    edits: [
      {
        file: "daemon/raft/log-snapshot.ts",
        find: "highWaterMarkBytes: bytesMax,",
        put: "highWaterMarkBytes: bytesMax * 1_000_000,",
      },
    ],
  },
  {
    bug: "24b",
    what: "a message takes all entries that there are",
    edits: [
      {
        file: `${CORE}/send.ts`,
        find: "log.entries(progress.next, config.maxSizePerMsg);",
        put: "log.entries(progress.next, Infinity);",
      },
    ],
  },
  {
    bug: "24c",
    what: "all that is committed is applied at a time",
    edits: [
      {
        file: "daemon/raft/core-config.ts",
        find: "limits.committedBytesPerReadyMax",
        put: "Infinity",
      },
    ],
  },
  {
    bug: "25a",
    what: "a leader without a quorum takes proposals without end",
    edits: [
      {
        file: `${CORE}/replication.ts`,
        find: "total > raft.config.maxUncommittedEntriesSize) return false;",
        put: "total < 0) return false;",
      },
    ],
  },
  {
    bug: "25b",
    what: "messages to a follower that does not answer are sent without end",
    edits: [
      {
        file: `${CORE}/send.ts`,
        find: 'progress.state === "StateReplicate" && progress.inflights.full;',
        put: 'progress.state === "StateSnapshot" && progress.inflights.full;',
      },
    ],
  },
];
