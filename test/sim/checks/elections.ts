import { DEFAULT_TIMING } from "../../../daemon/raft/core-config.ts";
import type { Message } from "../../../daemon/raft/core/core.ts";
import type { RaftPosition } from "../../../daemon/raft/driver-status.ts";
import type { Verdict } from "../verdict.ts";

/** What one member has lately taken from others, and what it will take next. */
interface Ears {
  role: RaftPosition["role"];
  term: number;
  /** The leader that it took a word of last, with the term of that, and when. */
  heard: { readonly from: number; readonly term: number; readonly atMs: number } | null;
  /** A leader has told it to campaign. */
  told: boolean;
  /** A machine has told it that no process takes its words there, and no leader has spoken since. */
  sawOneGone: boolean;
  /** Words of leaders that have arrived, and are not taken yet. */
  readonly waiting: Message[];
}

/** The first tick may come right after a word of the leader, and clocks may run fast. */
const TICKS_SLACK = 2;

/**
 * Whoever begins an election has waited for an election timeout in vain: it has taken no word of a leader that still
 * leads for so long, and none is at its door. A stall, or a clock that was set, is no silence; to be told that a process
 * is gone is more than that.
 */
export class Elections {
  readonly #verdict: Verdict;
  readonly #now: () => number;
  readonly #isAlive: (member: number) => boolean;
  readonly #timeoutMs: number;
  readonly #ears = new Map<number, Ears>();

  /** @param clockDrift how far a clock may run from true time, as a share of it */
  constructor(verdict: Verdict, now: () => number, isAlive: (member: number) => boolean, clockDrift: number) {
    this.#verdict = verdict;
    this.#now = now;
    this.#isAlive = isAlive;
    const { electionTicks, tickMs } = DEFAULT_TIMING;
    this.#timeoutMs = ((electionTicks - TICKS_SLACK) * tickMs) / (1 + clockDrift);
  }

  /** A process that runs no more, or a new one, has heard nothing. */
  started(member: number): void {
    this.#ears.delete(member);
  }

  /** A message has come to where the member will find it. */
  arrived(message: Message): void {
    if (isWordOfLeader(message)) this.#earsOf(message.to).waiting.push(message);
  }

  /** The member has found it there. */
  found(message: Message): void {
    const { waiting } = this.#earsOf(message.to);
    const at = waiting.indexOf(message);
    if (at !== -1) waiting.splice(at, 1);
  }

  /** The member takes the message. */
  taken(message: Message): void {
    const { type, from, to, term } = message;
    const ears = this.#earsOf(to);
    if (type === "MsgTimeoutNow") ears.told = true;
    if (!isWordOfLeader(message) || term < ears.term) return;
    ears.heard = { from, term, atMs: this.#now() };
    ears.sawOneGone = false;
  }

  /** The member is told, rightly or not, that some other one is gone. */
  toldOfOneGone(member: number): void {
    this.#earsOf(member).sawOneGone = true;
  }

  /** To be called after each event of a member. */
  observe({ id, role, term }: RaftPosition): void {
    const ears = this.#earsOf(id);
    const begins =
      role.endsWith("candidate") && !ears.role.endsWith("candidate") && !ears.told && !ears.sawOneGone;
    ears.told = false;
    if (begins) this.#checkBegin(id, ears);
    ears.role = role;
    ears.term = term;
  }

  #checkBegin(id: number, { heard, waiting, term }: Ears): void {
    const next = waiting.find((word) => word.term >= term && this.#leads(word.from, word.term));
    if (next !== undefined) {
      this.#verdict.fail(
        "what is at the door is taken before a leader counts as silent",
        `${id} begins an election while a ${next.type} of the leader ${next.from} of term ${next.term} waits`,
      );
    }
    if (heard === null || heard.term < term || !this.#leads(heard.from, heard.term)) return;
    const silentMs = this.#now() - heard.atMs;
    if (silentMs >= this.#timeoutMs) return;
    this.#verdict.fail(
      "a leader that was heard is not replaced",
      `${id} begins an election ${Math.round(silentMs)} ms after it heard of the leader ${heard.from}`,
    );
  }

  #leads(member: number, term: number): boolean {
    const ears = this.#ears.get(member);
    return ears?.role === "leader" && ears.term === term && this.#isAlive(member);
  }

  #earsOf(member: number): Ears {
    let ears = this.#ears.get(member);
    if (ears === undefined) {
      ears = { role: "follower", term: 0, heard: null, told: false, sawOneGone: false, waiting: [] };
      this.#ears.set(member, ears);
    }
    return ears;
  }
}

function isWordOfLeader({ type }: Message): boolean {
  return type === "MsgApp" || type === "MsgHeartbeat";
}
