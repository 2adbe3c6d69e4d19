import { nextStep } from "../../daemon/voters/next-step.ts";
import type { VoterStep } from "../../daemon/voters/next-step.ts";
import { wantedVoters } from "../../daemon/voters/wanted-voters.ts";
import { StoreError } from "../../daemon/store/store.ts";
import { TestCluster } from "../../scheduler/state/cluster.fixture.ts";
import type { RaftStore } from "../../daemon/store/raft-store.ts";
import type { Replica } from "./replica.ts";
import type { World } from "./simulation.ts";

/** How often each leader looks whether the voters are those that should be. */
const LOOK_MS = 60;
const CHANGE_MS = 3_000;
/** A voter that is away for so long loses its seat. */
const REPLACE_AFTER_MS = 1_500;

/**
 * The mesh's own choice of its voters, on every replica that leads, as `daemon/leader/voters.ts` has it. The nodes are known
 * to all of them at once: who runs is ready. Machines join one after the other while the faults strike.
 */
export class Policy {
  readonly #world: World;
  readonly #mesh = new TestCluster();
  readonly #busy = new WeakSet<RaftStore>();
  #resting = false;
  #lastStep: VoterStep["kind"] | null = null;

  constructor(world: World) {
    this.#world = world;
    const { scenario, random, replicas, clock } = world;
    if (!scenario.policy) return;
    for (const { id } of replicas.values()) {
      const failureDomain = random.pick(["a", "b", "c"]);
      this.#mesh.register(`n${id}`, { spot: random.chance(0.2), failureDomain });
      if (id <= scenario.founders) continue;
      clock.after(random.between(0.2, 0.95) * scenario.chaosMs, () => replicas.get(id)?.start());
    }
    const { state } = this.#mesh;
    if (state.mesh !== null) state.setMesh({ ...state.mesh, voterReplaceAfterMs: REPLACE_AFTER_MS });
    this.#look();
  }

  /** From now on nothing is changed, until `goOn`. */
  rest(): void {
    this.#resting = true;
  }

  goOn(): void {
    this.#resting = false;
    this.#lastStep = null;
  }

  /** The newest leader finds nothing more to do. */
  get isContent(): boolean {
    return this.#lastStep === "done";
  }

  #look(): void {
    this.#world.clock.after(LOOK_MS, () => {
      this.#look();
      this.#noteNodes();
      if (this.#resting) return;
      for (const replica of this.#world.replicas.values()) {
        const { store } = replica;
        if (store !== null && store.leadership().leads && !this.#busy.has(store)) this.#step(replica, store);
      }
    });
  }

  /** Whoever runs is ready, and has been since it was seen first. */
  #noteNodes(): void {
    const { replicas, clock } = this.#world;
    const { state } = this.#mesh;
    for (const node of state.nodes.values()) {
      const store = replicas.get(node.number)?.store ?? null;
      const runs = store !== null;
      if (runs === (node.state.kind === "ready")) continue;
      const since = clock.now;
      state.putNode({
        ...node,
        state: runs ? { kind: "ready", since } : { kind: "lost", since, reason: "" },
      });
    }
  }

  #step({ id, process }: Replica, store: RaftStore): void {
    process?.post("io", 0, () => {
      const [view, members] = [this.#mesh.state, store.members()];
      const at = {
        view,
        members,
        leader: id,
        progress: store.memberProgress(),
        lastIndex: store.lastIndex(),
      };
      const step = nextStep(at, wantedVoters({ view, members, leader: id, now: this.#world.clock.now }));
      if (store.leadership().term >= this.#world.raft.newestTerm) this.#lastStep = step.kind;
      if (step.kind === "wait" || step.kind === "done") return;
      this.#busy.add(store);
      const { verdict } = this.#world;
      const done =
        step.kind === "change"
          ? store
              .changeMembers(step.changes, { timeoutMs: CHANGE_MS })
              .then(() => verdict.mark("voters changed by policy"))
          : store.handOver(step.to);
      done
        .catch((error: unknown) => {
          if (error instanceof StoreError) return;
          verdict.fail("a store fails in its own words", String(error));
        })
        .finally(() => this.#busy.delete(store));
    });
  }
}
