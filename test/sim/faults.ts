import type { ConfState } from "../../daemon/raft/core/core.ts";
import { decodeIdentity, IDENTITY_KEY, peerKey } from "../../daemon/raft/identity-record.ts";
import { decodeHead, HEAD_KEY } from "../../daemon/raft/log-record.ts";
import type { LogHead } from "../../daemon/raft/log-record.ts";
import type { KnownPeer, StoreIdentity } from "../../daemon/raft/peer-identity.ts";
import type { RaftStore } from "../../daemon/store/raft-store.ts";
import { StoreError } from "../../daemon/store/store.ts";
import type { MemberChange } from "../../daemon/store/store.ts";
import type { DiskImage } from "./disk.ts";
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

/** Lets the faults of a scenario strike, until they are ended. */
export class Faults {
  readonly #world: World;
  #ended = false;
  #damaged: Replica | null = null;

  constructor(world: World) {
    this.#world = world;
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
        return this.#changeMembers(fault.change, fault.pick);
      case "transfer":
        return void this.leader()?.store.handOver();
      case "split":
        return this.#cut(fault.ms, (from, to) => fault.group.includes(from) !== fault.group.includes(to));
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

  #strikeAt(replica: Replica, fault: Exclude<Fault, { kind: "members" | "transfer" | "split" }>): void {
    const { id, disk } = replica;
    const { network, replicas, verdict } = this.#world;
    switch (fault.kind) {
      case "crash":
        if (!fault.inWrite) return replica.crash(fault.power, fault.ms);
        return disk.duringNextWrite(() => {
          if (!this.#ended) replica.crash(fault.power, fault.ms);
        });
      case "pause": {
        const { process } = replica;
        process?.pause();
        verdict.mark("pause");
        return this.#later(fault.ms, () => process?.resume());
      }
      case "isolate":
        verdict.mark(fault.ways === "both" ? "partition" : "one-way partition");
        return this.#cut(fault.ms, (from, to) => {
          return (fault.ways !== "in" && from === id) || (fault.ways !== "out" && to === id);
        });
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

  /** At most one disk of a run, and only where the others are a quorum by themselves. */
  #damage(replica: Replica, how: "flipped bit" | "lost middle"): void {
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

  /**
   * At most one disk of a run, under the same condition, and where all that ever ran hold against the image what they
   * remember, whatever befalls them: where a promise that the image forgot is known to somebody who can not be asked, or
   * the image's member would ask nobody, no implementation could tell.
   */
  #putBack(replica: Replica, image: DiskImage): void {
    const { replicas, clock, raft } = this.#world;
    const others = [...replicas.values()].filter((other) => other !== replica && other.wasStarted);
    const isDetectable =
      others.every((other) => knowsMore(other, replica, image)) && !asksNobody(replica, image);
    if (!this.#canSpareDisk(replica) || !isDetectable) {
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

  #changeMembers(change: Extract<Fault, { kind: "members" }>["change"], pick: number): void {
    // Several may believe that they lead, and an operator may ask any of them, more than once.
    const leaders = this.running().filter(({ store }) => store.leadership().leader === store.raftStatus().id);
    const leader = leaders[pick % Math.max(1, leaders.length)];
    if (leader === undefined) return;
    const { verdict, clock } = this.#world;
    if (!this.#ended && pick % 2 === 0) clock.after(pick / 50, () => this.#changeMembers(change, pick + 1));
    const asked = this.#changesFor(change, pick, leader.store);
    // Who joins now has never heard of the disk that was put back.
    const putBack = this.#damaged?.disk.isPutBack === true;
    const changes = putBack ? asked.filter(({ kind }) => kind === "remove") : asked;
    for (const { kind, member } of changes) {
      if (kind !== "remove") this.#world.replicas.get(member)?.start();
    }
    leader.store.changeMembers(changes, { timeoutMs: 5_000 }).then(
      () => verdict.mark(`members: ${change}`),
      (error: unknown) => {
        if (!(error instanceof StoreError)) verdict.fail("a store fails in its own words", String(error));
      },
    );
  }

  /**
   * What the operator asks for; nothing that would leave a quorum to a damaged voter. A leader is not dropped where its
   * vote may be needed afterwards: others learn only from it that it is gone, and its log may be longer than theirs. So
   * the mesh keeps odd numbers of voters, and transfers the leadership first.
   */
  #changesFor(change: string, pick: number, store: RaftStore): readonly MemberChange[] {
    const { voters, learners } = store.members();
    const spare = this.#spare(store);
    const voter = this.#damaged?.id ?? voters[pick % voters.length] ?? 0;
    const add: MemberChange[] = spare === undefined ? [] : [{ kind: "addVoter", member: spare }];
    const drop: MemberChange = { kind: "remove", member: voter };
    const tight =
      voters.length % 2 === 0 || this.#world.scenario.faults.some(({ kind }) => kind === "damage");
    const wedges = tight && store.leadership().leader === voter;
    const canDrop = voters.length > 1 && voters.includes(voter) && !wedges;
    switch (change) {
      case "add":
        return add;
      case "remove":
        return canDrop ? [drop] : [];
      case "replace":
        return canDrop && add.length > 0 ? [...add, drop] : [];
      case "learner":
        return spare === undefined ? [] : [{ kind: "addLearner", member: spare }];
      case "promote":
        return learners.slice(0, 1).map((member) => ({ kind: "addVoter", member }));
      default:
        return canDrop ? [{ kind: "addLearner", member: voter }] : [];
    }
  }

  /** A replica that was never a member: a number is not used again. */
  #spare(store: RaftStore): number | undefined {
    const { voters, learners } = store.members();
    return [...this.#world.replicas.values()].find(
      ({ id, process }) =>
        process === null && id > this.#world.scenario.founders && ![...voters, ...learners].includes(id),
    )?.id;
  }
}

/** Whether a replica remembers more of another one than an image of that one's disk holds, and for good. */
function knowsMore(witness: Replica, replica: Replica, image: DiskImage): boolean {
  const stored = witness.disk.durable(peerKey(replica.id));
  const imaged = witness.disk.durable(IDENTITY_KEY, image.written);
  const found = imagedHead(replica, image);
  if (stored === undefined || imaged === undefined || found === null) return false;
  const known = decodeIdentity<KnownPeer>(peerKey(replica.id), stored);
  const store = decodeIdentity<StoreIdentity>(IDENTITY_KEY, imaged);
  if (!known.ok || !store.ok) return false;
  return known.value.incarnation > store.value.incarnation || known.value.batch > found.batch;
}

/** Whether the member of an image is a group by itself, as a mesh's founder once was. */
function asksNobody(replica: Replica, image: DiskImage): boolean {
  return imagedHead(replica, image)?.applied.confState.voters.length === 1;
}

function imagedHead({ disk }: Replica, { written }: DiskImage): LogHead | null {
  const head = disk.durable(HEAD_KEY, written);
  const decoded = head === undefined ? null : decodeHead(head);
  return decoded?.ok === true ? decoded.value : null;
}
