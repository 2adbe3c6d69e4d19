import { isQuorum } from "./checks/raft-invariants.ts";
import type { Faults } from "./faults.ts";
import type { Policy } from "./policy.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./simulation.ts";

/** How often is looked whether a stage has come to its end. */
const LOOK_MS = 100;
const PROGRESS_MS_MAX = 20_000;
const TRANSFER_MS_MAX = 4_000;
const TRANSFERS_MAX = 3;
const SETTLE_MS = 4_000;
const CALM_MS = 4_000;
/** With the smallest limits, a log goes to a new member a few entries at a time. */
const CONVERGE_MS_MAX = 60_000;

/**
 * The end of a run: all faults are ended, or all but those of one voter. From then on the group owes progress in bounded
 * time, a transfer of leadership that is asked for, a leader that stays, and replicas that come to the same state.
 */
export class Recovery {
  readonly #world: World;
  readonly #faults: Faults;
  readonly #policy: Policy;
  #ill: number | null = null;
  #over = false;

  constructor(world: World, faults: Faults, policy: Policy) {
    this.#world = world;
    this.#faults = faults;
    this.#policy = policy;
    world.clock.after(world.scenario.chaosMs, () => this.#begin());
  }

  get isOver(): boolean {
    return this.#over;
  }

  #begin(): void {
    const { clock } = this.#world;
    this.#faults.end();
    this.#policy.rest();
    this.#fallIllAtOnce();
    if (this.#ill !== null) return this.#progress();
    // Replicas that were down need a moment to say what the membership is.
    clock.after(1_000, () => {
      this.#faults.end();
      if (!this.#hasQuorum()) return this.#finish("a quorum was lost for good");
      this.#fallIll();
      this.#progress();
    });
  }

  #progress(): void {
    const { clock, clients } = this.#world;
    const since = clock.now;
    this.#until(
      PROGRESS_MS_MAX,
      () => clients.haveProgressedSince(since),
      "progress in bounded time after healing",
      () => this.#transfer(TRANSFERS_MAX),
    );
  }

  /**
   * Lets one of the founders fall ill while the others are still as the faults have left them, where that is known to
   * leave a quorum: nobody ever asked for another membership, and no disk was damaged.
   */
  #fallIllAtOnce(): void {
    const { founders, faults, illFromChaos, ill } = this.#world.scenario;
    const asked = faults.some(({ kind }) => ["members", "damage", "put back"].includes(kind));
    if (ill === null || !illFromChaos || asked || founders < 3) return;
    const { raft, random } = this.#world;
    const newest = raft.leaderOf(raft.newestTerm);
    this.#makeIll(ill, newest !== undefined && random.chance(0.6) ? newest : 1 + random.below(founders));
  }

  #hasQuorum(): boolean {
    const members = this.#faults.membership();
    const damaged = this.#faults.damaged?.id;
    return members === undefined || isQuorum(members, (id) => id !== damaged);
  }

  /** Lets one voter stay ill, the leader by preference, where the others are a quorum. */
  #fallIll(): void {
    const members = this.#faults.membership();
    const { ill } = this.#world.scenario;
    if (ill === null || members === undefined || this.#faults.damaged !== null) return;
    // A change that is still under way may take one more voter away.
    const asked = this.#world.scenario.faults.some(({ kind }) => kind === "members");
    if (members.voters.length < (asked ? 4 : 3) || members.votersOutgoing.length > 0) return;
    const id = this.#faults.leader()?.replica.id ?? members.voters[0] ?? 1;
    if (members.voters.includes(id)) this.#makeIll(ill, id);
  }

  #makeIll(ill: NonNullable<Scenario["ill"]>, id: number): void {
    const { network, replicas, verdict } = this.#world;
    this.#ill = id;
    verdict.mark(`liveness beside a voter: ${ill}`);
    if (ill === "hung disk") return replicas.get(id)?.disk.hang();
    if (ill === "dead") return replicas.get(id)?.crash(true, Infinity);
    const friend = this.#faults.membership()?.voters.find((voter) => voter !== id);
    for (const other of replicas.keys()) {
      if (other === id || (ill === "half" && other === friend)) continue;
      if (ill !== "mute") network.block(other, id);
      if (ill !== "deaf") network.block(id, other);
    }
  }

  /** A leader that is asked to hand over to a healthy voter does so, where all are healthy. */
  #transfer(triesLeft: number): void {
    const { verdict, clock } = this.#world;
    const leader = this.#faults.leader();
    const voters = leader?.store.members().voters ?? [];
    const running = this.#faults.running().map(({ replica }) => replica.id);
    const healthy = this.#ill === null && voters.length > 1 && voters.every((id) => running.includes(id));
    if (leader === undefined || !healthy) return this.#settle();
    const { id } = leader.replica;
    if (triesLeft === 0) return verdict.fail("a leader hands over when it is asked to", `replica ${id}`);
    const { term } = leader.store.leadership();
    void leader.store.handOver();
    const deadline = clock.now + TRANSFER_MS_MAX;
    const look = (): void => {
      const now = this.#faults.leader();
      const another = now !== undefined && now.store.leadership().term > term;
      if (another && now.replica.id !== id) return this.#settle();
      if (another || clock.now > deadline) return this.#transfer(triesLeft - 1);
      clock.after(LOOK_MS, look);
    };
    clock.after(LOOK_MS, look);
  }

  #settle(): void {
    const { clock, raft, random, replicas, verdict } = this.#world;
    clock.after(SETTLE_MS, () => {
      const term = raft.newestTerm;
      // A stall of a voter that does not lead disturbs nobody.
      const leader = this.#faults.leader()?.replica.id;
      const idle = [...replicas.values()].filter(
        ({ id, process }) => process !== null && this.#canSpare(id, leader),
      );
      const stalled = idle.length === 0 ? undefined : random.pick(idle).process;
      stalled?.pause();
      clock.after(CALM_MS * 0.6, () => stalled?.resume());
      clock.after(CALM_MS, () => {
        // A hung disk is noticed when something is to be written, which may be now.
        if (raft.newestTerm !== term && leader !== this.#ill) {
          verdict.fail("a healthy group keeps its leader", `from term ${term} to ${raft.newestTerm}`);
        }
        this.#converge();
      });
    });
  }

  /** Whether the others are a quorum with the leader. */
  #canSpare(id: number, leader: number | undefined): boolean {
    const members = this.#faults.membership();
    const away = [id, this.#ill, this.#faults.damaged?.id];
    return members !== undefined && id !== leader && isQuorum(members, (voter) => !away.includes(voter));
  }

  #converge(): void {
    const { clients, network, readers, replicas, states } = this.#world;
    clients.stop();
    readers.stop();
    network.heal();
    for (const replica of replicas.values()) replica.disk.resume();
    if (this.#ill !== null) replicas.get(this.#ill)?.start();
    const members = (): ReturnType<Faults["running"]> => {
      const { voters = [], learners = [] } = this.#faults.leader()?.store.members() ?? {};
      return this.#faults.running().filter(({ replica }) => [...voters, ...learners].includes(replica.id));
    };
    this.#until(
      CONVERGE_MS_MAX,
      () => {
        const leader = this.#faults.leader();
        if (!clients.areIdle || leader === undefined || leader.store.members().joint) return false;
        const last = leader.store.lastIndex();
        return members().every(({ store }) => store.raftStatus().applied === last);
      },
      "replicas converge, and a joint membership is left",
      () => {
        for (const { replica, store } of members()) states.checkComplete(replica.id, store.view());
        states.checkEqual(members().map(({ store }) => store.view()));
        this.#comeToRest();
      },
    );
  }

  /** The voters that the mesh's own policy stops at are an odd number: an even one more tolerates no more losses. */
  #comeToRest(): void {
    const { scenario, verdict } = this.#world;
    if (!scenario.policy) return this.#finish("all stages of recovery");
    this.#policy.goOn();
    this.#until(
      CONVERGE_MS_MAX,
      () => this.#policy.isContent,
      "the voters come to rest",
      () => {
        const { voters = [] } = this.#faults.membership() ?? {};
        if (![1, 3, 5].includes(voters.length)) {
          verdict.fail("a mesh has 1, 3 or 5 voters", `it rests with ${voters.join(" ")}`);
        }
        this.#finish("all stages of recovery");
      },
    );
  }

  #until(limitMs: number, holds: () => boolean, promise: string, then: () => void): void {
    const { clock, verdict } = this.#world;
    const deadline = clock.now + limitMs;
    const look = (): void => {
      if (holds()) return then();
      if (clock.now <= deadline) return void clock.after(LOOK_MS, look);
      const statuses = this.#faults.running().map(({ store }) => {
        const { id, role, term, commit, applied, lastIndex, confState } = store.raftStatus();
        return { id, role, term, commit, applied, lastIndex, confState };
      });
      verdict.fail(promise, `not within ${limitMs} ms; ${JSON.stringify(statuses)}`);
    };
    look();
  }

  #finish(mark: string): void {
    this.#world.verdict.mark(mark);
    this.#over = true;
  }
}
