/** One place of a mutation: this text, which stands exactly once in the file, becomes the other. */
interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** A classic bug, planted where it would be made. The simulator knows none of them. */
export interface Mutant {
  /** Its number in the project's list of raft bugs that everyone makes; a letter where there are several ways to it. */
  readonly bug: string;
  readonly what: string;
  readonly edits: readonly Edit[];
}

/** Bugs of the list without a mutant, and why. */
export const NOT_PLANTED: Readonly<Record<string, string>> = {
  "26": "needs leases, which are not simulated",
};

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

export const MUTANTS: readonly Mutant[] = [
  {
    bug: "1a",
    what: "votes and acknowledgements leave before they are synced",
    edits: [
      {
        file: `${CORE}/send.ts`,
        find: "    raft.messagesAfterAppend.push(sent);",
        put: "    (sent.to === raft.id ? raft.messagesAfterAppend : raft.messages).push(sent);",
      },
    ],
  },
  {
    bug: "1b",
    what: "no batch is synced",
    edits: [{ file: "daemon/raft/level-log.ts", find: "{ sync: true }", put: "{ sync: false }" }],
  },
  {
    bug: "1c",
    what: "only batches with entries are synced, and log files rotate",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "{ sync: true }",
        put: "{ sync: batch.entries.length > 0 }",
      },
    ],
  },
  {
    bug: "2a",
    what: "the leader counts its own entries before they are synced",
    edits: [
      {
        file: `${CORE}/replication.ts`,
        find: '  send(raft, { type: "MsgAppResp", to: raft.id, index });',
        put:
          '  send(raft, { type: "MsgAppResp", to: raft.id, index });\n' +
          "  raft.tracker.progress.get(raft.id)?.maybeUpdate(index);",
      },
    ],
  },
  {
    bug: "2b",
    what: "a write counts as done when it is begun",
    edits: [
      {
        file: "daemon/raft/log-writer.ts",
        find: "    this.#cancelFlush = null;\n    this.#writing = log\n",
        put:
          "    this.#cancelFlush = null;\n    if (install === null) {\n      storage.synced(entries);\n" +
          "      this.#options.onWritten(responses);\n    }\n    this.#writing = log\n",
      },
    ],
  },
  {
    bug: "3",
    what: "entries of older terms are committed by counting",
    edits: [
      { file: `${CORE}/log.ts`, find: " || !this.matchTerm(at)) return false;", put: ") return false;" },
    ],
  },
  {
    bug: "4",
    what: "a failed write is taken back, and its index used again",
    edits: [
      {
        file: "daemon/raft/log-writer.ts",
        find: "        this.#ended = true;\n        this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));",
        put:
          "        this.#writing = null;\n        if (!(error instanceof Error)) return;\n" +
          "        storage.synced(entries);\n        this.#options.onWritten(responses);",
      },
      { file: "daemon/raft/level-log.ts", find: "    this.#onFatal(this.#failure);", put: "" },
    ],
  },
  {
    bug: "5a",
    what: "a membership change before the leader has committed an entry of its term",
    edits: [
      {
        file: `${CORE}/raft.ts`,
        find: "    this.pendingConfIndex = this.log.lastIndex();",
        put: "    this.pendingConfIndex = 0;",
      },
      { file: "daemon/raft/driver.ts", find: "if (leadsWithAppliedNoop && ", put: "if (" },
    ],
  },
  {
    bug: "5b",
    what: "several membership changes in flight at once",
    edits: [
      {
        file: `${CORE}/step-leader.ts`,
        find: "  if (raft.pendingConfIndex > applied) {",
        put: "  if (raft.pendingConfIndex > applied + 1_000_000) {",
      },
      {
        file: "daemon/raft/driver.ts",
        find: "if (leadsWithAppliedNoop && !this.#changingMembers && confState.votersOutgoing.length === 0) return null;",
        put: "if (leadsWithAppliedNoop || leader !== null) return null;",
      },
    ],
  },
  {
    bug: "6",
    what: "no pre-vote and no check-quorum: whoever was away disturbs the leader",
    edits: [
      { file: "daemon/raft/core-config.ts", find: "preVote: true", put: "preVote: false" },
      { file: "daemon/raft/core-config.ts", find: "checkQuorum: true", put: "checkQuorum: false" },
    ],
  },
  {
    bug: "7",
    what: "a pre-vote of a lower term is not answered",
    edits: [
      {
        file: `${CORE}/step.ts`,
        find: '  } else if (m.type === "MsgPreVote") {',
        put: '  } else if (m.type === "MsgPreVote" && raft.term === 0) {',
      },
    ],
  },
  {
    bug: "8",
    what: "a leadership transfer is refused for the leader's lease",
    edits: [
      {
        file: `${CORE}/step.ts`,
        find: "&& !isTransferRequest(m) && hasLiveLeader(raft)",
        put: "&& hasLiveLeader(raft)",
      },
      { file: `${CORE}/step.ts`, find: "  isTransferRequest,\n", put: "" },
    ],
  },
  {
    bug: "9a",
    what: "reads before the leader has committed an entry of its term",
    edits: [
      {
        file: `${CORE}/reads.ts`,
        find: "  } else if (hasCommittedInTerm(raft)) {",
        put: "  } else if (raft.term > 0) {",
      },
    ],
  },
  {
    bug: "9b",
    what: "acknowledgements of an older round confirm a read",
    edits: [
      {
        file: `${CORE}/read-index.ts`,
        find: "    const round = decodeRound(context);",
        put: "    const round = Math.max(decodeRound(context), this.#lastRound);",
      },
    ],
  },
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
    bug: "10",
    what: "reads under a lease: no round of heartbeats",
    edits: [
      {
        file: `${CORE}/read-index.ts`,
        find: "this.#pending.filter(({ round }) => round <= confirmed)",
        put: "this.#pending.filter(({ round }) => round <= Math.max(confirmed, this.#lastRound))",
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
    bug: "12",
    what: "a leader that hears nobody goes on leading",
    edits: [
      {
        file: `${CORE}/step-leader.ts`,
        find: "  if (!raft.tracker.quorumActive()) {",
        put: "  if (!raft.tracker.quorumActive() && raft.term === 0) {",
      },
    ],
  },
  {
    bug: "13a",
    what: "a snapshot is installed in two batches: a crash between them leaves half of it",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "      await this.#database.batch(plan.operations, { sync: true });",
        put:
          "      const head = plan.operations.findIndex(({ key }) => key.equals(HEAD_KEY));\n" +
          "      const last = plan.installed === null ? [] : plan.operations.splice(head);\n" +
          "      await this.#database.batch(plan.operations, { sync: true });\n" +
          "      if (last.length > 0) await this.#database.batch(last, { sync: true });",
      },
    ],
  },
  {
    bug: "13b",
    what: "the records of a snapshot are not synced before it is installed",
    edits: [{ file: "daemon/raft/staged-generation.ts", find: "{ sync: true }", put: "{ sync: false }" }],
  },
  {
    bug: "13c",
    what: "an older snapshot replaces a newer log",
    edits: [
      {
        file: `${CORE}/follow.ts`,
        find: "  if (index <= log.committed) return false;",
        put: "  if (index <= 0) return false;",
      },
    ],
  },
  {
    bug: "14",
    what: "a log that lost its end starts as if nothing had been",
    edits: [
      {
        file: "daemon/raft/log-contents.ts",
        find: "    if (!key.equals(entryKey(index))) throw damage(folder, `entry ${index} is missing`);",
        put: "    if (!key.equals(entryKey(index))) break;",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "    if (!read.ok) throw damage(folder, `entry ${index} ${read.fault}`);",
        put: "    if (!read.ok) break;",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find:
          "  const head = decoded.value;\n" +
          "  const { entries, sums, batches } = await readEntries(database, folder, head);",
        put:
          "  const found = decoded.value;\n" +
          "  const read = await readEntries(database, folder, found);\n" +
          "  const lastIndex = found.start.index + read.entries.length;\n" +
          "  const lost = found.applied.index > lastIndex;\n" +
          "  const { entries, sums, batches } = lost ? { entries: [], sums: [], batches: [] } : read;\n" +
          "  const commit = Math.min(found.hardState.commit, lastIndex);\n" +
          "  const lastSum = sums.at(-1) ?? found.start.sum;\n" +
          "  const head = lost\n" +
          "    ? { ...NOTHING, batch: found.batch, generation: found.generation + 1 }\n" +
          "    : { ...found, lastIndex, lastSum, hardState: { ...found.hardState, commit } };",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if (mark === null) return;",
        put: '  if (mark !== "damaged") return;',
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if (last !== head.lastIndex) {",
        put: "  if (head.batch < 0) {",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if ((sums.at(-1) ?? start.sum) !== head.lastSum) {",
        put: "  if (head.batch < 0) {",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if (hardState.commit > head.lastIndex) {",
        put: "  if (head.batch < 0) {",
      },
    ],
  },
  {
    bug: "15",
    what: "checksums of entries are not compared",
    edits: [
      {
        file: "daemon/raft/log-record.ts",
        find: '  if (value.readUInt32BE(end) !== sum) return { ok: false, fault: "does not match its checksum" };',
        put: "",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if ((sums.at(-1) ?? start.sum) !== head.lastSum) {",
        put: "  if (head.batch < 0) {",
      },
    ],
  },
  {
    bug: "16",
    what: "a batch that a crash cut short counts as damage: its two halves are written one after the other",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "      await this.#database.batch(plan.operations, { sync: true });",
        put:
          "      await this.#database.batch(plan.operations.slice(0, -1), { sync: true });\n" +
          "      await this.#database.batch(plan.operations.slice(-1), { sync: true });",
      },
    ],
  },
  {
    bug: "17",
    what: "a write that fails for a full disk is tried again, and then taken as done",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "      throw this.#fail(error);\n    } finally {",
        put: "      void error;\n    } finally {",
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
    bug: "22",
    what: "a joint membership is not left by itself",
    edits: [
      {
        file: `${CORE}/replication.ts`,
        find: "  if (!config.autoLeave || ",
        put: "  if (config.autoLeave || ",
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
