import { expect, it } from "vitest";
import { Clock } from "./clock.ts";
import { Random } from "./random.ts";

const STEPS = 50;

function newClock(): Clock {
  return new Clock(new Random("clock"));
}

async function steps(count: number, done: () => void): Promise<void> {
  for (let step = 0; step < count; step++) await Promise.resolve();
  done();
}

it("lets all promises settle before the next event, however long their chain is", async () => {
  const clock = newClock();
  const seen: string[] = [];
  clock.after(1, () => {
    seen.push("one");
    void steps(STEPS, () => {
      seen.push("settled");
      void steps(STEPS, () => seen.push("settled by what settled"));
    });
  });
  clock.after(1.001, () => seen.push("two"));
  await clock.run(() => false);
  expect(seen).toEqual(["one", "settled", "settled by what settled", "two"]);
});

it("asks whether it is over when the promises of an event have settled", async () => {
  const clock = newClock();
  let settled = false;
  clock.after(1, () => void steps(STEPS, () => (settled = true)));
  clock.after(2, () => expect.unreachable("the run was over"));
  await clock.run(() => settled);
  expect(clock.now).toBe(1);
});

it("leaves out what was cancelled, and counts no event for it", async () => {
  const clock = newClock();
  const cancel = clock.after(2, () => expect.unreachable("it was cancelled"));
  clock.after(1, cancel);
  await clock.run(() => false);
  expect(clock.events).toBe(1);
});

it("comes to another hash when one time or one text differs", async () => {
  const hashOf = async (delayMs: number, text: string): Promise<number> => {
    const clock = newClock();
    clock.after(delayMs, () => clock.note(text));
    await clock.run(() => false);
    return clock.hash;
  };
  const hash = await hashOf(1, "vote");
  expect(await hashOf(1, "vote")).toBe(hash);
  expect(await hashOf(1.000001, "vote")).not.toBe(hash);
  expect(await hashOf(1, "veto")).not.toBe(hash);
});
