import type { Message } from "../../../daemon/raft/core/core.ts";
import type { RaftPosition } from "../../../daemon/raft/driver-status.ts";
import type { RaftLimits } from "../../../daemon/raft/raft-limits.ts";
import type { StateRecord } from "../../../daemon/raft/raft-log.ts";
import type { Verdict } from "../verdict.ts";
import type { DurableLogs } from "./durable-logs.ts";

/** A leader that has lost touch may send other parts of the log while the last ones are still on their way. */
const SENDINGS_MAX = 3;
/** One event may be the last of one turn and the first of another. */
const TURNS_PER_EVENT_MAX = 2;
/** What the simulator's largest command may take by itself. */
const COMMAND_BYTES_MAX = 2_000;

/** What a member holds, sends and does at a time keeps the limits that are stated for it. */
export class Bounds {
  readonly #verdict: Verdict;
  readonly #limits: RaftLimits;
  readonly #logs: DurableLogs;
  readonly #applied = new Map<number, number>();

  constructor(verdict: Verdict, limits: RaftLimits, logs: DurableLogs) {
    this.#verdict = verdict;
    this.#limits = limits;
    this.#logs = logs;
  }

  /** What it applies before it takes part, it applies in turns of their own. */
  started(replica: number): void {
    this.#applied.delete(replica);
  }

  sent({ from, to, entries }: Message): void {
    const sizes = entries.map(({ data }) => data.length);
    this.#keeps(
      "bytes in one message",
      `${from} to ${to}`,
      sum(sizes.slice(0, -1)),
      this.#limits.messageBytesMax,
    );
  }

  /** @param messages with entries; one that is sent again counts once */
  onTheWay(from: number, to: number, messages: number): void {
    const { inflightMessagesMax } = this.#limits;
    this.#keeps("messages in flight", `${from} to ${to}`, messages, SENDINGS_MAX * (inflightMessagesMax + 1));
  }

  chunk(from: number, to: number, records: readonly StateRecord[]): void {
    const sizes = records.map(({ key, value }) => key.length + value.length);
    const { snapshotChunkBytesMax } = this.#limits;
    this.#keeps("bytes in one chunk", `${from} to ${to}`, sum(sizes.slice(0, -1)), snapshotChunkBytesMax);
  }

  /** To be called after each event of a replica. */
  observe({ id, role, term, commit, applied, lastIndex }: RaftPosition): void {
    const { readiesPerTurnMax, committedBytesPerReadyMax, uncommittedBytesMax, proposalBatchBytesMax } =
      this.#limits;
    const before = this.#applied.get(id) ?? applied;
    this.#applied.set(id, applied);
    if (applied > before + 1 && before >= this.#logs.start(id).index) {
      // A Ready gives one entry at least, however large that is.
      const perReady = Math.max(committedBytesPerReadyMax, this.#largest(id, before, applied));
      const most = TURNS_PER_EVENT_MAX * readiesPerTurnMax * perReady;
      this.#keeps("bytes applied at a time", id, this.#bytes(id, before, applied), most);
    }
    if (role !== "leader" || lastIndex <= commit) return;
    const held = this.#bytes(id, commit, lastIndex, term);
    const most = uncommittedBytesMax + proposalBatchBytesMax + COMMAND_BYTES_MAX;
    this.#keeps("bytes of a leader not committed", id, held, most);
  }

  /** Of the entries behind `after`, up to `last`, of this term if one is given. */
  #bytes(replica: number, after: number, last: number, term?: number): number {
    let bytes = 0;
    for (let index = after + 1; index <= last; index++) {
      const entry = this.#logs.at(replica, index);
      if (entry !== undefined && (term ?? entry.term) === entry.term) bytes += entry.bytes;
    }
    return bytes;
  }

  #largest(replica: number, after: number, last: number): number {
    let largest = 0;
    for (let index = after + 1; index <= last; index++) {
      largest = Math.max(largest, this.#logs.at(replica, index)?.bytes ?? 0);
    }
    return largest;
  }

  #keeps(what: string, who: number | string, held: number, most: number): void {
    if (held > most)
      this.#verdict.fail("stated limits hold", `${who}: ${held} ${what}, at most ${most} may be`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
