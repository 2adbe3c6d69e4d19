import type { Mutant } from "./mutant.ts";

const CORE = "daemon/raft/core";

/** Bugs of the pure core: elections, replication, membership, reads. */
export const CORE_MUTANTS: readonly Mutant[] = [
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
    bug: "3",
    what: "entries of older terms are committed by counting",
    edits: [
      { file: `${CORE}/log.ts`, find: " || !this.matchTerm(at)) return false;", put: ") return false;" },
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
