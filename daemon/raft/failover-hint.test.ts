import { beforeEach, describe, expect, it } from "vitest";
import { FailoverHint } from "./failover-hint.ts";
import type { FailoverHintOptions } from "./failover-hint.ts";

/** Time that is told, and a random number that stays. */
class Bench {
  core: ReturnType<FailoverHintOptions["look"]> = { role: "follower", term: 4, leader: 1, voters: [3, 1, 2] };
  random = 0;
  /** What the hint did, each with its ms. */
  readonly did: string[] = [];
  #now = 0;
  #timer: { readonly at: number; readonly action: () => void } | null = null;

  hint(id: number): FailoverHint {
    return new FailoverHint({
      id,
      environment: {
        random: () => this.random,
        after: (ms, action) => {
          const timer = { at: this.#now + ms, action };
          this.#timer = timer;
          return () => {
            if (this.#timer === timer) this.#timer = null;
          };
        },
      },
      look: () => this.core,
      forgetLeader: () => {
        this.did.push(`${this.#now} forget`);
        this.core = { ...this.core, leader: null };
      },
      campaign: () => {
        this.did.push(`${this.#now} campaign`);
        this.core = { ...this.core, role: "pre-candidate" };
      },
    });
  }

  pass(ms: number): void {
    const until = this.#now + ms;
    while (this.#timer !== null && this.#timer.at <= until) {
      const { at, action } = this.#timer;
      this.#now = at;
      this.#timer = null;
      action();
    }
    this.#now = until;
  }
}

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});

describe("FailoverHint", () => {
  it("forgets the leader and campaigns, again after each random gap", () => {
    const hint = bench.hint(2);
    bench.random = 0.5;
    expect(hint.take(1)).toBe(true);
    bench.pass(250);
    expect(bench.did).toEqual(["0 forget", "0 campaign", "100 campaign", "200 campaign"]);
    bench.random = 0;
    bench.pass(150);
    // The gap that had begun, and then the shortest.
    expect(bench.did.slice(4)).toEqual(["300 campaign", "350 campaign", "400 campaign"]);
  });

  it.each([
    [2, [1, 2, 3], 0],
    [3, [1, 2, 3], 50],
    [3, [5, 4, 3, 2, 1], 50 / 3],
    [5, [5, 4, 3, 2, 1], 50],
    [2, [1, 2], 0],
    // Both halves of a joint membership.
    [4, [1, 2, 3, 2, 3, 4], 50],
  ])("gives voter %i among %j its turn after %f ms", (id, voters, ms) => {
    bench.core = { ...bench.core, voters };
    bench.hint(id).take(1);
    bench.pass(50);
    expect(bench.did[1]).toBe(`${ms} campaign`);
  });

  it("lets one that is no voter forget its leader only", () => {
    expect(bench.hint(7).take(1)).toBe(true);
    bench.pass(1_000);
    expect(bench.did).toEqual(["0 forget"]);
  });

  it.each([
    ["a member that does not lead", {}, 3],
    ["the leader of one that forgot it", { leader: null }, 1],
    ["anybody, to a leader", { role: "leader", leader: 2 }, 1],
    ["anybody, to a candidate", { role: "candidate", leader: null }, 1],
  ] as const)("is not taken from the end of %s", (_whom, change, gone) => {
    bench.core = { ...bench.core, ...change };
    expect(bench.hint(2).take(gone)).toBe(false);
    bench.pass(1_000);
    expect(bench.did).toEqual([]);
  });

  it("is taken once in a term", () => {
    const hint = bench.hint(2);
    hint.take(1);
    hint.heardLeader(4);
    bench.core = { ...bench.core, role: "follower", leader: 1 };
    expect(hint.take(1)).toBe(false);
    bench.core = { ...bench.core, role: "follower", leader: 3, term: 5 };
    expect(hint.take(3)).toBe(true);
  });

  it.each([4, 5])("ends with the word of a leader of term %i", (term) => {
    const hint = bench.hint(3);
    hint.take(1);
    hint.heardLeader(term);
    bench.pass(1_000);
    expect(bench.did).toEqual(["0 forget"]);
  });

  it("does not end with the word of an older leader", () => {
    const hint = bench.hint(2);
    hint.take(1);
    hint.heardLeader(3);
    bench.pass(10);
    expect(bench.did).toEqual(["0 forget", "0 campaign"]);
  });

  it("ends when this member leads", () => {
    bench.hint(2).take(1);
    bench.pass(1);
    bench.core = { ...bench.core, role: "leader", leader: 2, term: 5 };
    bench.pass(1_000);
    expect(bench.did).toEqual(["0 forget", "0 campaign"]);
  });

  it("gives an election that somebody has begun one gap to come to its end", () => {
    bench.hint(2).take(1);
    bench.pass(49);
    bench.core = { ...bench.core, role: "follower", term: 5 };
    bench.pass(52);
    expect(bench.did).toEqual(["0 forget", "0 campaign", "100 campaign"]);
  });

  it("gives one whose pre-vote it granted a gap to ask for votes", () => {
    const hint = bench.hint(2);
    hint.gaveWay();
    hint.take(1);
    bench.pass(49);
    hint.gaveWay();
    bench.pass(100);
    expect(bench.did).toEqual(["0 forget", "0 campaign", "100 campaign"]);
  });

  it("leaves the rest to the election timeout when it leads nowhere", () => {
    bench.hint(2).take(1);
    bench.pass(60_000);
    expect(bench.did).toHaveLength(1 + 10);
  });
});
