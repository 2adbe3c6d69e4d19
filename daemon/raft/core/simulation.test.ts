import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RaftError } from "./errors.ts";
import { Network } from "./network.fixture.ts";

type Action =
  | { readonly kind: "tick" | "persist" | "apply" | "crash" | "compact" | "propose"; readonly id: number }
  | { readonly kind: "deliver" | "lose" | "repeat"; readonly nth: number }
  | { readonly kind: "cut"; readonly from: number; readonly to: number }
  | { readonly kind: "change"; readonly id: number; readonly changes: string }
  | { readonly kind: "heal" };

const ELECTION_TICKS = 4;

/** Actions on `nodes` nodes; the rarer ones do more harm. */
function actionsOn(nodes: number, changes: readonly string[]): fc.Arbitrary<readonly Action[]> {
  const id = fc.integer({ min: 1, max: nodes });
  const some = <K extends Action["kind"]>(...kinds: readonly K[]): fc.Arbitrary<K> =>
    fc.constantFrom(...kinds);
  const action = fc.oneof<fc.MaybeWeightedArbitrary<Action>[]>(
    { weight: 20, arbitrary: fc.record({ kind: some("tick"), id }) },
    { weight: 20, arbitrary: fc.record({ kind: some("persist", "apply"), id }) },
    { weight: 40, arbitrary: fc.record({ kind: some("deliver"), nth: fc.nat(3) }) },
    { weight: 10, arbitrary: fc.record({ kind: some("propose"), id }) },
    { weight: 5, arbitrary: fc.record({ kind: some("lose", "repeat"), nth: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: some("crash", "compact"), id }) },
    { weight: 1, arbitrary: fc.record({ kind: some("cut"), from: id, to: id }) },
    { weight: 1, arbitrary: fc.record({ kind: some("heal") }) },
    {
      weight: changes.length === 0 ? 0 : 3,
      arbitrary: fc.record({ kind: some("change"), id, changes: fc.constantFrom("", ...changes) }),
    },
  );
  return fc.array(action, { minLength: 100, maxLength: 400, size: "max" });
}

function perform(network: Network, action: Action, nth: number): void {
  const at = (position: number): number => position % Math.max(1, network.inFlight.length);
  switch (action.kind) {
    case "tick":
      network.tick(action.id);
      break;
    case "persist":
      network.persist(action.id);
      break;
    case "apply":
      network.apply(action.id);
      break;
    case "crash":
      network.crash(action.id);
      break;
    case "compact":
      network.member(action.id).compact();
      break;
    case "deliver":
      network.deliver(at(action.nth));
      break;
    case "lose":
      network.lose(at(action.nth));
      break;
    case "repeat":
      network.inFlight.push(...network.inFlight.slice(at(action.nth), at(action.nth) + 1));
      break;
    case "cut":
      network.cut(action.from, action.to);
      break;
    case "heal":
      network.heal();
      break;
    case "propose":
      unlessDropped(() => network.member(action.id).propose(`command ${nth}`));
      break;
    case "change":
      unlessDropped(() => network.proposeConfChange(action.id, action.changes));
      break;
  }
  for (const id of network.members.keys()) network.collect(id);
}

function unlessDropped(propose: () => void): void {
  try {
    propose();
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
  }
}

/** Lets the network recover; then one more command must come through. Returns the nodes that must have applied it. */
function recover(network: Network): readonly number[] {
  network.heal();
  network.pass(20 * ELECTION_TICKS);
  const leader = network.leader();
  expect(leader).toBeDefined();
  leader!.propose("last");
  network.settle();
  network.pass(ELECTION_TICKS);
  return [...leader!.status().progress.keys()];
}

describe("whatever is delayed, lost, repeated, reordered, cut off, crashed and compacted", () => {
  // The safety properties are checked by the network at each step.
  it.each([
    ["without pre-vote and check-quorum", false],
    ["with pre-vote and check-quorum", true],
  ])("safety holds, and after healing all nodes agree, %s", (_, guarded) => {
    fc.assert(
      fc.property(actionsOn(3, []), (actions) => {
        const config = {
          preVote: guarded,
          checkQuorum: guarded,
          electionTick: ELECTION_TICKS,
          heartbeatTick: 1,
        };
        const network = new Network(3, config);
        actions.forEach((action, nth) => perform(network, action, nth));
        for (const id of recover(network)) expect(network.member(id).commands().at(-1)).toBe("last");
      }),
      { numRuns: 150 },
    );
  });

  it("safety holds while the membership changes, and after healing the members agree", () => {
    const changes = ["v4", "v5", "l4", "r1", "r2", "r4", "v4 r1", "v4 v5 r2 r3", "l1 v4", "v1 v2 v3 r4 r5"];
    fc.assert(
      fc.property(actionsOn(5, changes), (actions) => {
        const network = new Network(
          3,
          { electionTick: ELECTION_TICKS, heartbeatTick: 1, stepDownOnRemoval: true },
          2,
        );
        actions.forEach((action, nth) => perform(network, action, nth));
        for (const id of recover(network)) expect(network.member(id).commands().at(-1)).toBe("last");
      }),
      { numRuns: 150 },
    );
  });
});
