import type { Entry, EntryId, HardState, Message } from "../../../daemon/raft/core/core.ts";
import type { LogBatch } from "../../../daemon/raft/raft-log.ts";
import { hashText } from "../random.ts";
import type { Verdict } from "../verdict.ts";

/** What is known of an entry: enough to tell whether two are the same. */
export interface EntryMark {
  readonly term: number;
  readonly content: number;
}

interface DurableLog {
  /** The entry that the newest installed snapshot ends with; what is before it is on the disk as state only. */
  start: EntryId;
  /** That of index 1 first. Those that the log has forgotten are kept: the stored state is made of them. */
  entries: EntryMark[];
  hardState: HardState;
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

  /** The end of the snapshot that this replica has installed last; index 0 for none. */
  start(replica: number): EntryId {
    return this.#log(replica).start;
  }

  hardState(replica: number): HardState {
    return this.#log(replica).hardState;
  }

  /** A batch has become durable. */
  append(replica: number, { entries, hardState, install }: LogBatch): void {
    const log = this.#log(replica);
    if (install !== null) {
      log.start = { index: install.point.index, term: install.point.term };
      log.entries = [];
      log.entries.length = install.point.index;
    }
    const first = entries[0];
    if (first !== undefined) log.entries.length = Math.min(log.entries.length, first.index - 1);
    let before = first === undefined ? undefined : this.#termAt(replica, first.index - 1);
    for (const entry of entries) {
      log.entries[entry.index - 1] = { term: entry.term, content: contentOf(entry) };
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
    if (log === undefined)
      this.#logs.set(replica, (log = { start: { index: 0, term: 0 }, entries: [], hardState: NOTHING }));
    return log;
  }
}

const contents = new WeakMap<Uint8Array, number>();

/** A hash of type and data; data is never changed once it is in an entry. */
function contentOf({ type, data }: Entry): number {
  let hash = contents.get(data);
  if (hash === undefined) {
    hash = hashText(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1"));
    contents.set(data, hash);
  }
  return hash ^ type.length;
}
