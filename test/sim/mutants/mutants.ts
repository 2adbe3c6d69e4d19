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
  "13": "needs snapshots",
  "18": "no code here reads a clock that a stall could mislead: real processes show it",
  "19": "no wall clock in reach: a lint rule shows it",
  "23": "needs the policy that chooses voters",
  "24": "needs snapshots",
  "25": "needs limits small enough to be reached in a run",
  "26": "needs leases",
  "27": "needs incarnations of members",
};

const CORE = "daemon/raft/core";

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
        find: "    this.#writingTicks = 0;\n    this.#writing = this.#log",
        put: "    this.#writingTicks = 0;\n    this.#written(appends);\n    this.#writing = this.#log",
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
        find: "        this.#ended = true;\n        this.#onFatal(error instanceof Error ? error : new Error(String(error)));",
        put: "        this.#writing = null;\n        if (error instanceof Error) this.#written(appends);",
      },
      { file: "daemon/raft/level-log.ts", find: "      this.#onFatal(this.#failure);", put: "" },
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
    bug: "14",
    what: "a log that lost its end starts as if nothing had been",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "    if (!key.equals(entryKey(index))) throw damage(folder, `entry ${index} is missing`);",
        put: "    if (!key.equals(entryKey(index))) break;",
      },
      {
        file: "daemon/raft/level-log.ts",
        find: "    if (!read.ok) throw damage(folder, `entry ${index} ${read.fault}`);",
        put: "    if (!read.ok) break;",
      },
      {
        file: "daemon/raft/level-log.ts",
        find: "  return { head, entries, sums };\n}",
        put:
          "  const lastIndex = entries.length;\n" +
          "  const hardState = { ...head.hardState, commit: Math.min(head.hardState.commit, lastIndex) };\n" +
          "  return { head: { ...head, lastIndex, lastSum: sums.at(-1) ?? EMPTY_LOG_SUM, hardState }, entries, sums };\n}",
      },
      {
        file: "daemon/raft/level-log.ts",
        find: "  if (entries.length !== head.lastIndex) {",
        put: "  if (head.batch < 0) {",
      },
      {
        file: "daemon/raft/level-log.ts",
        find: "  if ((sums.at(-1) ?? EMPTY_LOG_SUM) !== head.lastSum) {",
        put: "  if (head.batch < 0) {",
      },
      {
        file: "daemon/raft/level-log.ts",
        find: "  if (head.hardState.commit > head.lastIndex) {",
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
        file: "daemon/raft/level-log.ts",
        find: "  if ((sums.at(-1) ?? EMPTY_LOG_SUM) !== head.lastSum) {",
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
        find: "      await this.#database.batch(operations, { sync: true });",
        put:
          "      await this.#database.batch(operations.slice(0, -1), { sync: true });\n" +
          "      await this.#database.batch(operations.slice(-1), { sync: true });",
      },
    ],
  },
  {
    bug: "17",
    what: "a write that fails for a full disk is tried again, and then taken as done",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "      this.#onFatal(this.#failure);\n      throw this.#failure;",
        put: "      this.#failure = null;",
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
];
