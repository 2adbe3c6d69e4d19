import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Command, InitialiseMesh } from "../../scheduler/model/command.ts";
import { nodeId } from "../../scheduler/model/ids.ts";
import { apply } from "../../scheduler/state/apply.ts";
import { canonicalState } from "../../scheduler/state/digest.ts";
import { createState } from "../../scheduler/state/state.ts";
import type { StateView } from "../../scheduler/state/state.ts";
import { COMMAND_BYTES_MAX } from "./store.ts";
import type { Leadership, Store } from "./store.ts";

/** One store to be tried; it leads when it is given out. */
export interface StoreRig {
  readonly store: Store;
  /** Makes the store lose its lead to nobody. */
  readonly depose: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A command that changes the state, different for each number. */
export function tokenCommand(nth: number): Command {
  return {
    kind: "addJoinToken",
    at: 1000 + nth,
    id: `token-${nth}`,
    secretHash: `hash-${nth}`,
    expiresAt: 9000,
  };
}

const initialise: InitialiseMesh = {
  kind: "initialiseMesh",
  at: 1,
  meshId: "mesh-1",
  authority: { certificatePem: "certificate", privateKeyPem: "key" },
  founder: nodeId("one"),
};

/** What every store must do. */
export function storeContract(name: string, open: () => Promise<StoreRig>): void {
  describe(`${name} keeps the contract of Store`, () => {
    let rig: StoreRig;
    let store: Store;

    beforeEach(async () => {
      rig = await open();
      store = rig.store;
    });

    afterEach(() => rig.close());

    it("shows a command in its view once it is acknowledged", async () => {
      expect(store.view().mesh).toBeNull();
      expect(await store.propose(initialise)).toMatchObject({ kind: "node", number: 1 });
      expect(store.view().mesh?.id).toBe("mesh-1");
    });

    it("acknowledges a refused command with its refusal", async () => {
      await store.propose(initialise);
      expect(await store.propose(initialise)).toMatchObject({ kind: "refused", code: "already-exists" });
    });

    it("applies commands in the order in which they were proposed", async () => {
      const commands = [initialise, ...Array.from({ length: 100 }, (_, nth) => tokenCommand(nth))];
      const results = await Promise.all(commands.map((command) => store.propose(command)));
      const model = createState();
      expect(results).toEqual(commands.map((command, nth) => apply(model, command, nth + 1)));
      expect(recordsOf(store.view())).toEqual(recordsOf(model));
    });

    it("keeps a command as it was when it was proposed", async () => {
      const command = { ...tokenCommand(1) };
      const done = store.propose(command);
      Object.assign(command, { id: "changed" });
      await done;
      expect([...store.view().tokens.keys()]).toEqual(["token-1"]);
    });

    it("refuses a command that is too large", async () => {
      const command: Command = { ...initialise, meshId: "x".repeat(COMMAND_BYTES_MAX) };
      await expect(store.propose(command)).rejects.toMatchObject({ name: "StoreError", code: "too-large" });
      expect(store.view().mesh).toBeNull();
    });

    it("tells its watchers of changes, once for several", async () => {
      let told = 0;
      const unwatch = store.watch(() => told++);
      await Promise.all(Array.from({ length: 100 }, (_, nth) => store.propose(tokenCommand(nth))));
      await vi.waitFor(() => expect(told).toBeGreaterThan(0));
      expect(told).toBeLessThan(50);
      unwatch();
      const before = told;
      await store.propose(tokenCommand(100));
      await store.propose(tokenCommand(101));
      expect(told).toBe(before);
    });

    it("lets a watcher see the change and propose", async () => {
      const answered = new Promise<number>((resolve, reject) => {
        const unwatch = store.watch(() => {
          if (store.view().tokens.size !== 1) return;
          unwatch();
          store.propose(tokenCommand(2)).then(() => resolve(store.view().tokens.size), reject);
        });
      });
      await store.propose(tokenCommand(1));
      expect(await answered).toBe(2);
    });

    it("has everything acknowledged in its view after a barrier", async () => {
      await Promise.all([tokenCommand(1), tokenCommand(2)].map((command) => store.propose(command)));
      await store.readBarrier();
      expect(store.view().tokens.size).toBe(2);
    });

    it("leads, and says when it does no more", async () => {
      const { term } = store.leadership();
      expect(store.leadership()).toMatchObject({ leads: true, leader: expect.any(Number) as number });
      const told: Leadership[] = [];
      store.onLeadership((leadership) => void told.push(leadership));
      await rig.depose();
      expect(told.at(-1)).toEqual(store.leadership());
      expect(store.leadership()).toMatchObject({ leads: false, leader: null });
      expect(store.leadership().term).toBeGreaterThanOrEqual(term);
      await expect(store.propose(tokenCommand(1))).rejects.toMatchObject({
        code: "not-leader",
        leader: null,
      });
      await expect(store.changeMembers([{ kind: "addLearner", member: 9 }])).rejects.toMatchObject({
        code: "not-leader",
      });
      await expect(store.readBarrier(50)).rejects.toMatchObject({ code: "unavailable" });
      expect(store.memberProgress().size).toBe(0);
      expect(store.view().tokens.size).toBe(0);
    });

    it("adds and removes members", async () => {
      const { voters } = store.members();
      await store.changeMembers([{ kind: "addLearner", member: 8 }]);
      expect(store.members()).toEqual({ voters, learners: [8], joint: false });
      expect(store.memberProgress().has(8)).toBe(true);
      await store.changeMembers([{ kind: "remove", member: 8 }]);
      expect(store.members()).toEqual({ voters, learners: [], joint: false });
      const all = voters.map((member) => ({ kind: "remove", member }) as const);
      await expect(store.changeMembers(all)).rejects.toMatchObject({ code: "impossible" });
      expect(store.members().voters).toEqual(voters);
    });

    it("tells its watchers of a change of the members", async () => {
      let told = 0;
      const unwatch = store.watch(() => told++);
      await store.changeMembers([{ kind: "addLearner", member: 8 }]);
      await vi.waitFor(() => expect(told).toBeGreaterThan(0));
      unwatch();
    });

    it("hands the lead to nobody where there is nobody to take it", async () => {
      const own = store.leadership().leader ?? 0;
      expect(await store.handOver(own)).toBe(false);
      expect(await store.handOver(99)).toBe(false);
      expect(store.leadership().leads).toBe(true);
    });

    it("knows when it last heard of each member", async () => {
      const own = store.leadership().leader ?? 0;
      expect(store.memberProgress().get(own)?.silentMs).toBe(0);
    });

    it("knows how long its own log is", async () => {
      const before = store.lastIndex();
      await store.propose(tokenCommand(1));
      expect(store.lastIndex()).toBeGreaterThan(before);
      const own = store.leadership().leader ?? 0;
      await vi.waitFor(() => expect(store.memberProgress().get(own)?.match).toBe(store.lastIndex()));
    });
  });
}

/** The records without the version, which counts a store's own entries too. */
function recordsOf(view: StateView): unknown {
  const { records } = JSON.parse(canonicalState(view)) as { readonly records: unknown };
  return records;
}
