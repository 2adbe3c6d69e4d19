import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { introduce, TestStore } from "./identity.fixture.ts";
import type { TestIntroduction } from "./identity.fixture.ts";
import { judgePeer, OPENINGS_KEPT_MAX } from "./peer-identity.ts";
import type { KnownPeer, PeerHello, PeerRefusal } from "./peer-identity.ts";

/** Member 1 judges, member 2 is judged. */
let judge: TestIntroduction;
let judgesStore: TestStore;
let store: TestStore;

beforeEach(async () => {
  judgesStore = new TestStore();
  judge = await introduce(1, judgesStore);
  store = new TestStore();
});

/** Member 2 starts on its store, and greets. */
async function start(): Promise<{ readonly hello: PeerHello; readonly refusal: PeerRefusal | null }> {
  const hello = (await introduce(2, store)).gate.hello();
  return { hello, refusal: await judge.gate.admit(2, hello) };
}

/** Member 2 has synced up to this batch, and a message that rests on it arrives. */
function promise(hello: PeerHello, batch: number): PeerRefusal | null {
  store.batch = batch;
  return judge.gate.hear(2, hello, batch);
}

describe("a member that is met", () => {
  it("for the first time is let in, and so are its later processes on the same store", async () => {
    const first = await start();
    expect(first.refusal).toBeNull();
    expect(promise(first.hello, 7)).toBeNull();
    const second = await start();
    expect(second.refusal).toBeNull();
    expect(second.hello.incarnation).toBe(2);
    expect(promise(second.hello, 8)).toBeNull();
  });

  it("again and again by the same process is let in each time, whatever it has synced meanwhile", async () => {
    const { hello } = await start();
    promise(hello, 9);
    expect(await judge.gate.admit(2, hello)).toBeNull();
  });

  it("on an empty store in the place of its own is refused", async () => {
    await start();
    store = new TestStore();
    expect((await start()).refusal).toMatchObject({ reason: "store" });
  });

  it("of another mesh, or under another number, is refused", async () => {
    const stranger = await introduce(2, new TestStore(), { meshId: "other" });
    expect(await judge.gate.admit(2, stranger.gate.hello())).toMatchObject({
      reason: "mesh",
      details: "it belongs to mesh other",
    });
    expect(await judge.gate.admit(3, (await start()).hello)).toMatchObject({ reason: "member" });
  });

  it("from before a recovery of the mesh is refused", async () => {
    const { hello } = await start();
    const own = { meshId: "mesh", counted: 0 };
    const recovered = { ...own, recoveryEpoch: 1 };
    expect(judgePeer(recovered, null, hello)).toMatchObject({ refusal: { reason: "epoch" } });
    expect(judgePeer(recovered, null, { ...hello, recoveryEpoch: 1 })).toMatchObject({ ok: true });
  });
});

describe("a store that is put back to an older image", () => {
  it("is refused where a promise is known that it has forgotten", async () => {
    const { hello } = await start();
    promise(hello, 10);
    const image = store.image();
    promise(hello, 11);
    store.putBack(image);
    expect((await start()).refusal).toEqual({
      reason: "regressed",
      details: "its store held batch 10 when it was opened, and batch 11 was seen",
    });
  });

  it("is let in where it has forgotten nothing", async () => {
    const { hello } = await start();
    promise(hello, 10);
    store.putBack(store.image());
    expect((await start()).refusal).toBeNull();
  });

  it("is refused after a newer process was met, though that one promised nothing", async () => {
    await start();
    const image = store.image();
    await start();
    await start();
    store.putBack(image);
    expect((await start()).refusal).toMatchObject({ reason: "incarnation" });
  });

  it("is refused however often it starts, and whatever it writes meanwhile", async () => {
    const { hello } = await start();
    const image = store.image();
    promise(hello, 20);
    await start();
    store.putBack(image);
    for (let nth = 1; nth < OPENINGS_KEPT_MAX - 2; nth++) {
      store.batch += 10;
      expect((await start()).refusal, `start ${nth}`).not.toBeNull();
    }
  });

  it("is refused by a judge that has started again since", async () => {
    const { hello } = await start();
    const image = store.image();
    promise(hello, 10);
    await judge.identity.meet(9, { storeId: "", incarnation: 1, opening: "", batch: 0 });
    judge = await introduce(1, judgesStore);
    store.putBack(image);
    expect((await start()).refusal).toMatchObject({ reason: "regressed" });
  });

  it("is refused by a leader that counts on more of its log than it has", async () => {
    judge = await introduce(1, judgesStore, { counted: 5 });
    expect((await start()).refusal).toEqual({
      reason: "regressed",
      details: "its log ends at entry 0, and it has acknowledged entry 5",
    });
  });
});

describe("a store that two processes have open", () => {
  it("counts for the one that was met last, from then on", async () => {
    const original = await start();
    const clone = await start();
    expect(clone.refusal).toBeNull();
    expect(judge.gate.hear(2, original.hello, 100)).toMatchObject({ reason: "incarnation" });
    expect(await judge.gate.admit(2, original.hello)).toEqual({
      reason: "incarnation",
      details: "it is opening 1 of its store, and opening 2 was seen",
    });
    expect(judge.gate.hear(2, clone.hello, 1)).toBeNull();
  });

  it("as two copies, each opened as often, is refused to the second", async () => {
    await start();
    const image = store.image();
    await start();
    store.putBack(image);
    expect((await start()).refusal).toEqual({
      reason: "incarnation",
      details: "two processes are opening 2 of one store, or of copies of it",
    });
  });
});

it("a store is refused exactly when it lacks an opening or a batch that is known", () => {
  // One history of openings, branched at a random place: the judge knows a process of one branch, and meets one of the
  // other.
  const openings = fc.array(fc.nat(3), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(openings, openings, fc.nat(20), fc.nat(20), fc.nat(5), (trunk, branch, at, met, more) => {
      const own = history(trunk, "a");
      const fork = Math.min(at, own.length);
      const other = [...own.slice(0, fork), ...history(branch, "b", own[fork - 1]?.foundBatch ?? 0)];
      const known = own[Math.min(met, own.length - 1)]!;
      const incarnation = own.indexOf(known) + 1;
      const seen = known.foundBatch + more;
      const knownPeer: KnownPeer = { storeId: "s", incarnation, opening: known.name, batch: seen };
      const judged = judgePeer({ meshId: "mesh", recoveryEpoch: 0, counted: 0 }, knownPeer, {
        meshId: "mesh",
        member: 2,
        storeId: "s",
        incarnation: other.length,
        openings: other.slice(-OPENINGS_KEPT_MAX),
        recoveryEpoch: 0,
        lastIndex: 0,
        term: 0,
      });
      const next = other[incarnation];
      const hasOpening = other[incarnation - 1]?.name === known.name;
      expect(judged.ok).toBe(hasOpening && (next === undefined || next.foundBatch >= seen));
    }),
  );
});

function history(gaps: readonly number[], branch: string, from = 0): { name: string; foundBatch: number }[] {
  let foundBatch = from;
  return gaps.map((gap, nth) => ({ name: `${branch}${nth}`, foundBatch: (foundBatch += gap) }));
}
