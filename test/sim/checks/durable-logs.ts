import type { Entry, EntryId, HardState, Message } from "../../../daemon/raft/core/core.ts";
import type { LogBatch, RecoveredLog } from "../../../daemon/raft/raft-log.ts";
import { hashText } from "../random.ts";
import type { Verdict } from "../verdict.ts";

/** What is known of an entry: enough to tell whether two are the same. */
export interface EntryMark {
  readonly term: number;
  readonly content: number;
  readonly bytes: number;
}

interface DurableLog {
  /** The entry that the newest installed snapshot ends with; what is before it is on the disk as state only. */
  start: EntryId;
  /** That of index 1 first. Those that the log has forgotten are kept: the stored state is made of them. */
  entries: EntryMark[];
  /** The indexes of those entries that change the membership and are not known to be committed. */
  openChanges: number[];
  hardState: HardState;
  /** Up to where the stored records are. */
  applied: number;
}

const NOTHING: HardState = { term: 0, vote: 0, commit: 0 };

/**
 * What is truly on the disk of each replica, and the invariants that concern nothing else: log matching, and that
 * promises (votes, acknowledgements, terms) are on disk before they leave and are never taken back.
 */
export class DurableLogs {
  readonly #verdict: Verdict;
  readonly #logs = new Map<number, DurableLog>();
  /** What was ever seen at an index, by term: the entry, and the term of the one before it. */
  readonly #seen: Map<number, { readonly content: number; before: number | undefined }>[] = [];
  readonly #votes = new Map<string, number>();

  constructor(verdict: Verdict) {
    this.#verdict = verdict;
  }

  at(replica: number, index: number): EntryMark | undefined {
    return this.#log(replica).entries[index - 1];
  }

  lastIndex(replica: number): number {
    return this.#log(replica).entries.length;
  }

  /** The end of the snapshot that this replica has installed last; index 0 for none. */
  start(replica: number): EntryId {
    return this.#log(replica).start;
  }

  hardState(replica: number): HardState {
    return this.#log(replica).hardState;
  }

  /** A batch has become durable. */
  append(replica: number, { entries, hardState, applied, install }: LogBatch): void {
    const log = this.#log(replica);
    if (install !== null) {
      log.start = { index: install.point.index, term: install.point.term };
      log.entries = [];
      log.entries.length = install.point.index;
    }
    log.applied = install?.point.index ?? applied?.point.index ?? log.applied;
    const first = entries[0];
    if (first !== undefined) log.entries.length = Math.min(log.entries.length, first.index - 1);
    this.#noteChanges(replica, log, entries, hardState?.commit ?? log.hardState.commit);
    let before = first === undefined ? undefined : this.#termAt(replica, first.index - 1);
    for (const entry of entries) {
      log.entries[entry.index - 1] = {
        term: entry.term,
        content: contentOf(entry),
        bytes: entry.data.length,
      };
      this.#see(entry, before);
      before = entry.term;
    }
    if (hardState === null) return;
    const { term, vote, commit } = log.hardState;
    const went = `replica ${replica}: ${JSON.stringify(log.hardState)}, then ${JSON.stringify(hardState)}`;
    if (hardState.term < term) this.#verdict.fail("a term never goes back", went);
    if (hardState.commit < commit) this.#verdict.fail("a commit index never goes back", went);
    if (hardState.term === term && vote !== 0 && hardState.vote !== vote)
      this.#verdict.fail("a vote is never changed", went);
    log.hardState = hardState;
  }

  /** What a log gives back when it is opened is what was durable, whatever has happened to its disk. */
  recovered(replica: number, { start, entries, hardState, applied }: RecoveredLog): void {
    const log = this.#log(replica);
    const last = start.index + entries.length;
    const wrong = entries.find(({ index, term, ...entry }) => {
      const known = log.entries[index - 1];
      return known?.term !== term || known.content !== contentOf(entry);
    });
    const { term, vote, commit } = log.hardState;
    const same = hardState.term === term && hardState.vote === vote && hardState.commit === commit;
    if (wrong === undefined && last === log.entries.length && same && applied.index === log.applied) return;
    this.#verdict.fail(
      "what was durable is there, or the start is refused",
      `replica ${replica} starts with entries up to ${last}, applied ${applied.index}, ${JSON.stringify(hardState)}` +
        `${wrong === undefined ? "" : `, another entry ${wrong.index}`}; durable were ${log.entries.length} entries, ` +
        `applied ${log.applied}, ${JSON.stringify(log.hardState)}`,
    );
  }

  /** After a crash, this is what is there. */
  survived(replica: number, batches: readonly LogBatch[]): void {
    this.#logs.delete(replica);
    for (const batch of batches) this.append(replica, batch);
  }

  /** A message has left a replica. */
  sent(message: Message): void {
    const { type, from, to, term, index, reject } = message;
    const { hardState, entries } = this.#log(from);
    if (type === "MsgApp") this.#seeAll(message);
    // What a later term has replaced was durable when the promise was made.
    if (reject || hardState.term > term) return;
    if (type === "MsgAppResp" && (hardState.term < term || entries.length < index)) {
      this.#verdict.fail(
        "an acknowledged entry is durable",
        `replica ${from} has acknowledged ${index} at term ${term}, and has ${entries.length} entries on disk`,
      );
    }
    if (type !== "MsgVoteResp") return;
    if (hardState.term !== term || hardState.vote !== to) {
      this.#verdict.fail("a vote is durable", `replica ${from} has voted for ${to} at term ${term}`);
    }
    const key = `${from} ${term}`;
    const vote = this.#votes.get(key) ?? to;
    this.#votes.set(key, vote);
    if (vote !== to) {
      this.#verdict.fail("one vote a term", `replica ${from} voted for ${vote} and ${to} at term ${term}`);
    }
  }

  /**
   * One membership change at a time: whoever has the next one in its log knows that the one before is committed. Only so
   * do two members whose memberships differ have quorums that meet.
   */
  #noteChanges(replica: number, log: DurableLog, entries: readonly Entry[], commit: number): void {
    const end = entries[0]?.index ?? Infinity;
    const open = log.openChanges.filter((index) => index < end && index > commit && index > log.start.index);
    for (const { type, index } of entries) if (type !== "EntryNormal" && index > commit) open.push(index);
    log.openChanges = open;
    if (open.length <= 1) return;
    this.#verdict.fail(
      "one membership change at a time",
      `replica ${replica} has the changes ${open.join(" and ")} in its log, of which ${commit} are committed`,
    );
  }

  #seeAll({ entries, logTerm }: Message): void {
    let before = logTerm;
    for (const entry of entries) {
      this.#see(entry, before);
      before = entry.term;
    }
  }

  /** Log matching: an (index, term) names one entry, and one predecessor, so by induction one whole log. */
  #see(entry: Entry, before: number | undefined): void {
    const content = contentOf(entry);
    const seen = (this.#seen[entry.index] ??= new Map());
    const known = seen.get(entry.term);
    if (known === undefined) {
      seen.set(entry.term, { content, before });
      return;
    }
    known.before ??= before;
    if (known.content === content && (before === undefined || known.before === before)) return;
    this.#verdict.fail("log matching", `two entries ${entry.index} of term ${entry.term}`);
  }

  #termAt(replica: number, index: number): number | undefined {
    const { start } = this.#log(replica);
    return index === start.index ? start.term : this.at(replica, index)?.term;
  }

  #log(replica: number): DurableLog {
    let log = this.#logs.get(replica);
    if (log === undefined) this.#logs.set(replica, (log = emptyLog()));
    return log;
  }
}

function emptyLog(): DurableLog {
  return { start: { index: 0, term: 0 }, entries: [], openChanges: [], hardState: NOTHING, applied: 0 };
}

const contents = new WeakMap<Uint8Array, number>();

/** A hash of type and data; data is never changed once it is in an entry. */
function contentOf({ type, data }: Pick<Entry, "type" | "data">): number {
  let hash = contents.get(data);
  if (hash === undefined) {
    hash = hashText(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1"));
    contents.set(data, hash);
  }
  return hash ^ type.length;
}
