import { describe, expect, it } from "vitest";
import { ReadRounds } from "./read-rounds.ts";

const OPTIONS = { askAgainTicks: 3, waitTicksMax: 10, nonce: Buffer.from("process1") };

function tick(rounds: ReadRounds, times: number): void {
  for (let nth = 0; nth < times; nth++) rounds.tick();
}

describe("ReadRounds", () => {
  it("asks once for all who wait, and resolves them when that much is applied", async () => {
    const rounds = new ReadRounds(OPTIONS);
    let resolved = 0;
    const reads = [rounds.add(), rounds.add()].map((read) => read.finally(() => resolved++));
    const context = rounds.begin()!;
    expect(rounds.begin()).toBeNull();
    rounds.confirm(context, 7);
    rounds.applied(6);
    await Promise.resolve();
    expect(rounds.size).toBe(2);
    expect(resolved).toBe(0);
    rounds.applied(8);
    expect(await Promise.all(reads)).toEqual([7, 7]);
    expect(rounds.size).toBe(0);
  });

  it("does not serve a reader by a round that began before it came", async () => {
    const rounds = new ReadRounds(OPTIONS);
    const early = rounds.add();
    const first = rounds.begin()!;
    const late = rounds.add();
    const second = rounds.begin()!;
    expect(second).not.toEqual(first);
    rounds.confirm(first, 5);
    rounds.applied(9);
    expect(await early).toBe(5);
    expect(rounds.size).toBe(1);
    rounds.confirm(second, 9);
    rounds.applied(9);
    expect(await late).toBe(9);
  });

  it("asks anew with another context after a change of leader, and ignores the late answer", async () => {
    const rounds = new ReadRounds(OPTIONS);
    const read = rounds.add();
    const first = rounds.begin()!;
    rounds.restart();
    const second = rounds.begin()!;
    rounds.confirm(first, 5);
    rounds.applied(100);
    expect(rounds.size).toBe(1);
    rounds.confirm(second, 8);
    rounds.applied(100);
    expect(await read).toBe(8);
  });

  it("ignores answers to the process before it, whose rounds had the same numbers", async () => {
    const before = new ReadRounds({ ...OPTIONS, nonce: Buffer.from("process0") });
    void before.add();
    const rounds = new ReadRounds(OPTIONS);
    const read = rounds.add();
    const context = rounds.begin()!;
    rounds.confirm(before.begin()!, 5);
    rounds.confirm(new Uint8Array(), 5);
    rounds.applied(100);
    expect(rounds.size).toBe(1);
    rounds.confirm(context, 8);
    rounds.applied(100);
    expect(await read).toBe(8);
  });

  it("asks anew when no answer comes, and gives up in the end", async () => {
    const rounds = new ReadRounds(OPTIONS);
    const outcome = expect(rounds.add()).rejects.toMatchObject({ code: "dropped" });
    rounds.begin();
    tick(rounds, 2);
    expect(rounds.begin()).toBeNull();
    tick(rounds, 1);
    expect(rounds.begin()).not.toBeNull();
    tick(rounds, 7);
    await outcome;
    expect(rounds.size).toBe(0);
    tick(rounds, 10);
    expect(rounds.begin()).toBeNull();
  });
});
