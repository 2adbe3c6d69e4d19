import type { ConfState } from "../../daemon/raft/core/core.ts";
import type { RaftStore } from "../../daemon/store/raft-store.ts";
import type { Damage, DiskImage } from "./disk.ts";
import { Operators } from "./operators.ts";
import { isDetectable } from "./put-back.ts";
import type { Replica } from "./replica.ts";
import type { Fault } from "./scenario.ts";
import type { World } from "./simulation.ts";

/** How often is looked whether an older image can take the place of a disk. */
const PUT_BACK_AGAIN_MS = 100;

/** A voter of the group, with the store that speaks for it. */
export interface Running {
  readonly replica: Replica;
  readonly store: RaftStore;
}

const SNAPSHOTS_STRUCK = 3;
const SNAPSHOTS_STRUCK_AFTER_MS = 3_000;
const SNAPSHOT_STRUCK_MS = 200;
/** What others submit while a leader is being deposed. */
const DEPOSED_COMMANDS = 12;

type AmbushFault = Extract<Fault, { kind: "ambush" }>;
type FaultOfOne = Extract<Fault, { target: number }>;

/** What is held up for longer would come when the run is over. */
const HELD_MS_MAX = 3_000;

/** Lets the faults of a scenario strike, until they are ended. */
export class Faults {
  readonly #world: World;
  readonly #operators: Operators;
  #ambushes: AmbushFault[] = [];
  #ended = false;
  #damaged: Replica | null = null;

  constructor(world: World) {
    this.#world = world;
    this.#operators = new Operators({
      world,
      running: () => this.running(),
      damaged: () => this.#damaged?.id,
      // Who joins now has never heard of the disk that was put back.
      takesNoMember: () => this.#damaged?.disk.isPutBack === true,
      isOver: () => this.#ended,
      split: (group, ms) => this.#split(group, ms),
      kill: (id, ms) => world.replicas.get(id)?.crash(false, ms),
    });
    for (const fault of world.scenario.faults) {
      world.clock.after(fault.atMs, () => {
        world.clock.note(fault.kind);
        this.#strike(fault);
      });
    }
  }

  /** The replica whose disk lost what it had, if any. */
  get damaged(): Replica | null {
    return this.#damaged;
  }

  /** To be called when a replica is elected, before its first message arrives anywhere. */
  elected(replica: Replica): void {
    if (!this.#ended) this.#operators.elected();
    const [ambush, ...others] = this.#ambushes;
    if (ambush === undefined || this.#ended) return;
    const { how, delayMs, ms, atMs } = ambush;
    this.#ambushes = ambush.times > 1 ? [{ ...ambush, times: ambush.times - 1 }, ...others] : others;
    this.#world.verdict.mark("new leader struck");
    const target = replica.id;
    const strike = (): void => {
      switch (how) {
        case "crash":
          this.#strikeAt(replica, { kind: "reset", atMs, target });
          return this.#strikeAt(replica, { kind: "crash", atMs, target, power: true, inWrite: null, ms });
        case "isolate":
          return this.#strikeAt(replica, { kind: "isolate", atMs, target, ways: "both", late: false, ms });
        default:
          return this.#strikeAt(replica, { kind: how, atMs, target, ms });
      }
    };
    if (delayMs === 0) strike();
    else this.#later(delayMs, strike);
  }

  /** Ends all faults: whatever is down is started, whatever is cut is joined. */
  end(): void {
    this.#ended = true;
    const { network, replicas, clients } = this.#world;
    network.heal();
    clients.heal();
    for (const replica of replicas.values()) {
      replica.disk.heal();
      replica.process?.resume();
      if (this.#hasJoined(replica)) replica.start();
    }
  }

  running(): readonly Running[] {
    return [...this.#world.replicas.values()].flatMap((replica) => {
      const { store } = replica;
      return store === null ? [] : [{ replica, store }];
    });
  }

  /** The newest leader that has applied its first entry. */
  leader(): Running | undefined {
    const leaders = this.running().filter(({ store }) => store.leadership().leads);
    return leaders.toSorted((a, b) => b.store.leadership().term - a.store.leadership().term)[0];
  }

  /** The membership that the most advanced of the running replicas has applied. */
  membership(): ConfState | undefined {
    const statuses = this.running().map(({ store }) => store.raftStatus());
    return statuses.toSorted((a, b) => b.applied - a.applied)[0]?.confState;
  }

  #hasJoined({ id }: Replica): boolean {
    if (id <= this.#world.scenario.founders) return true;
    const members = this.membership();
    return [members?.voters, members?.votersOutgoing, members?.learners].some((ids) => ids?.includes(id));
  }

  #strike(fault: Fault): void {
    switch (fault.kind) {
      case "members":
        return this.#operators.ask(fault);
      case "ambush":
        this.#ambushes.push(fault);
        if (fault.deposeMs !== null) this.#cutOffLeader(fault.deposeMs);
        return undefined;
      case "burst":
        if (fault.cutOffMs !== null) this.#cutOffLeader(fault.cutOffMs);
        return this.#world.clients.burst(fault.commands, fault.overMs);
      case "transfer":
        return void this.leader()?.store.handOver();
      case "depose": {
        const leader = this.leader();
        if (leader === undefined) return undefined;
        const { replica, store } = leader;
        this.#lag(replica.id, "in", fault.byMs, fault.ms);
        this.#world.clients.burst(DEPOSED_COMMANDS, fault.ms);
        return this.#later(fault.handOverAfterMs, () => void (replica.store === store && store.handOver()));
      }
      case "split":
        return this.#split(fault.group, fault.ms);
      default: {
        const { target } = fault;
        const replica =
          target === 0
            ? (this.leader()?.replica ?? this.#world.replicas.get(1))
            : this.#world.replicas.get(target);
        if (replica !== undefined) this.#strikeAt(replica, fault);
      }
    }
  }

  #cutOffLeader(ms: number): void {
    const id = this.leader()?.replica.id;
    if (id !== undefined) this.#split([id], ms);
  }

  #strikeAt(replica: Replica, fault: FaultOfOne): void {
    const { id, disk } = replica;
    const { network, replicas, verdict } = this.#world;
    switch (fault.kind) {
      case "crash":
        if (fault.inWrite === null) return replica.crash(fault.power, fault.ms);
        return this.#crashInWrite(fault.inWrite === "any" ? [replica] : [...replicas.values()], fault);
      case "pause": {
        const { process } = replica;
        process?.pause();
        verdict.mark("pause");
        return this.#later(fault.ms, () => process?.resume());
      }
      case "isolate":
        verdict.mark(fault.ways === "both" ? "partition" : "one-way partition");
        if (fault.late) {
          const heldMs = Math.min(fault.ms, HELD_MS_MAX);
          for (const [from, to] of this.#linksOf(id, fault.ways)) network.hold(from, to, heldMs);
          return undefined;
        }
        return this.#cut(fault.ms, (from, to) => {
          return (fault.ways !== "in" && from === id) || (fault.ways !== "out" && to === id);
        });
      case "lag":
        this.#lag(id, fault.ways, Math.min(fault.byMs, HELD_MS_MAX), fault.ms);
        if (fault.breakMs !== null) this.#breakStreams(id, fault.breakMs, this.#world.clock.now + fault.ms);
        return undefined;
      case "wall jump":
        verdict.mark("wall clock set");
        return replica.clock.setWall(fault.byMs);
      case "bridge":
        verdict.mark("bridge partition");
        return this.#cut(fault.ms, (from, to) => {
          return from !== id && to !== id && fault.group.includes(from) !== fault.group.includes(to);
        });
      case "reset":
        for (const other of replicas.keys()) if (other !== id) network.reset(id, other);
        return undefined;
      case "slow":
        disk.slowDown(fault.byMs);
        return this.#later(fault.ms, () => disk.resume());
      case "hang":
        disk.hang();
        return this.#later(fault.ms, () => disk.resume());
      case "full":
        disk.fill();
        return this.#later(fault.ms, () => disk.resume());
      case "error":
        return disk.failNextWrite();
      case "damage":
        return this.#damage(replica, fault.how);
      case "put back": {
        const image = disk.image();
        return this.#later(fault.ms, () => this.#putBack(replica, image));
      }
    }
  }

  /** Strikes the first of these that writes such a thing; of snapshots, a few in a row. */
  #crashInWrite(
    targets: readonly Replica[],
    { inWrite, power, ms }: { inWrite: "any" | "snapshot" | null; power: boolean; ms: number },
  ): void {
    const { clock, scenario } = this.#world;
    const ofSnapshot = inWrite === "snapshot";
    // Whoever was away longest is sent a snapshot when it is back, and the faults may be over then.
    const until = scenario.chaosMs + (ofSnapshot ? SNAPSHOTS_STRUCK_AFTER_MS : 0);
    let left = ofSnapshot ? SNAPSHOTS_STRUCK : 1;
    const lieInWait = (target: Replica): void =>
      target.disk.duringNextWrite(() => {
        if (clock.now >= until || left === 0) return;
        left--;
        target.crash(power, this.#ended ? SNAPSHOT_STRUCK_MS : ms);
        if (left > 0) lieInWait(target);
      }, inWrite ?? "any");
    for (const target of targets) lieInWait(target);
  }

  /** At most one disk of a run, and only where the others are a quorum by themselves. */
  #damage(replica: Replica, how: Damage): void {
    if (!this.#canSpareDisk(replica)) return;
    this.#damaged = replica;
    replica.crash(true, 100);
    replica.disk.damage(how);
  }

  #canSpareDisk(replica: Replica): boolean {
    const members = this.membership();
    if (this.#damaged !== null || members === undefined || replica.process === null) return false;
    return members.voters.length >= 3 && members.votersOutgoing.length === 0;
  }

  /** At most one disk of a run, under the same condition, and where the others can tell. */
  #putBack(replica: Replica, image: DiskImage): void {
    const { replicas, clock, raft } = this.#world;
    const others = [...replicas.values()].filter((other) => other !== replica && other.wasStarted);
    if (!this.#canSpareDisk(replica) || !isDetectable(replica, image, others)) {
      return this.#later(PUT_BACK_AGAIN_MS, () => this.#putBack(replica, image));
    }
    this.#damaged = replica;
    replica.crash(true, 100);
    replica.disk.putBack(image);
    raft.wasPutBack(replica.id);
    clock.note(`put back ${replica.id}`);
  }

  #later(ms: number, action: () => void): void {
    this.#world.clock.after(ms, () => {
      if (!this.#ended) action();
    });
  }

  #lag(id: number, ways: "both" | "in" | "out", byMs: number, ms: number): void {
    const { network, verdict } = this.#world;
    verdict.mark("lag");
    const links = this.#linksOf(id, ways);
    for (const [from, to] of links) network.lag(from, to, byMs);
    this.#later(ms, () => {
      for (const [from, to] of links) network.lag(from, to, 0);
    });
  }

  /** Breaks all streams to a member again and again. */
  #breakStreams(id: number, meanGapMs: number, until: number): void {
    const { network, replicas, clock, random } = this.#world;
    this.#later(random.around(meanGapMs), () => {
      if (clock.now >= until) return;
      for (const other of replicas.keys()) if (other !== id) network.reset(other, id);
      this.#breakStreams(id, meanGapMs, until);
    });
  }

  #linksOf(id: number, ways: "both" | "in" | "out"): readonly (readonly [number, number])[] {
    const others = [...this.#world.replicas.keys()].filter((other) => other !== id);
    return others.flatMap((other) => {
      const inward = ways === "out" ? [] : [[other, id] as const];
      return ways === "in" ? inward : [...inward, [id, other] as const];
    });
  }

  #split(group: readonly number[], ms: number): void {
    this.#cut(ms, (from, to) => group.includes(from) !== group.includes(to));
  }

  #cut(ms: number, blocks: (from: number, to: number) => boolean): void {
    const { network, replicas } = this.#world;
    const ids = [...replicas.keys()];
    const pairs = ids.flatMap((from) =>
      ids.filter((to) => to !== from && blocks(from, to)).map((to) => ({ from, to })),
    );
    for (const { from, to } of pairs) network.block(from, to);
    this.#later(ms, () => {
      for (const { from, to } of pairs) network.unblock(from, to);
    });
  }
}
