import type { RaftStore } from "../../daemon/store/raft-store.ts";
import { StoreError } from "../../daemon/store/store.ts";
import type { MemberChange } from "../../daemon/store/store.ts";
import type { Running } from "./faults.ts";
import type { Fault, MembersChange } from "./scenario.ts";
import type { World } from "./simulation.ts";

type MembersFault = Extract<Fault, { kind: "members" }>;

/** Mean ms until an operator who was refused asks again. */
const ASK_AGAIN_MS = 10;
/** Mean ms until they have heard that somebody was elected. */
const HEAR_OF_ELECTION_MS = 2;
const CHANGE_MS = 5_000;
/** Who is picked is drawn from so many. */
const PICKS = 1_000;

export interface OperatorsOptions {
  readonly world: World;
  readonly running: () => readonly Running[];
  /** The number of the replica whose disk lost what it had, if any. */
  readonly damaged: () => number | undefined;
  readonly takesNoMember: () => boolean;
  readonly isOver: () => boolean;
  /** Splits the network between these replicas and the others. */
  readonly split: (group: readonly number[], ms: number) => void;
  /** Kills the process of a replica, which starts again so much later. */
  readonly kill: (id: number, ms: number) => void;
}

/**
 * People who change the membership. Several ask at once, each whoever says that it leads, be it elected a moment ago or
 * deposed without knowing it, and ask again when they are refused.
 */
export class Operators {
  readonly #options: OperatorsOptions;
  readonly #waiting = new Set<() => void>();
  /** What those want who are not content yet. */
  #restless: { readonly changes: readonly MembersChange[]; readonly until: number }[] = [];

  constructor(options: OperatorsOptions) {
    this.#options = options;
  }

  ask({ changes, pick, patienceMs, blow }: MembersFault): void {
    const { clock } = this.#options.world;
    const until = clock.now + patienceMs;
    this.#restless.push({ changes, until });
    let coming = blow;
    changes.forEach((change, nth) => {
      const onAsked = (asked: number, group: readonly number[]): void => {
        if (coming === null) return;
        const { how, afterMs, ms } = coming;
        coming = null;
        clock.after(afterMs, () => {
          if (this.#options.isOver()) return;
          if (how === "split") this.#options.split(group, ms);
          else this.#options.kill(asked, ms);
        });
      };
      this.#ask(change, pick + nth, until, onAsked);
    });
  }

  /** Somebody was elected: whoever was refused asks again, and others think of one more change. */
  elected(): void {
    const { clock, random } = this.#options.world;
    const soon = (ask: () => void): unknown => clock.after(random.around(HEAR_OF_ELECTION_MS), ask);
    for (const ask of this.#waiting) soon(ask);
    this.#restless = this.#restless.filter(({ until }) => until > clock.now);
    for (const { changes, until } of this.#restless) {
      soon(() => this.#ask(random.pick(changes), random.below(PICKS), until, () => {}));
    }
  }

  #ask(
    change: MembersChange,
    pick: number,
    until: number,
    onAsked: (asked: number, group: readonly number[]) => void,
  ): void {
    const { world, running, isOver } = this.#options;
    const { verdict, clock, random, replicas } = world;
    const again = (): void => {
      if (clock.now >= until) return;
      const ask = (): void => {
        if (this.#waiting.delete(ask) && !isOver()) this.#ask(change, pick, until, onAsked);
      };
      this.#waiting.add(ask);
      clock.after(random.around(ASK_AGAIN_MS), ask);
    };
    const leaders = running().filter(({ store }) => store.leadership().leader === store.position().id);
    if (leaders.length === 0) return again();
    const leader = random.pick(leaders);
    const wanted = this.#changesFor(change, pick, leader.store);
    const changes = this.#options.takesNoMember() ? wanted.filter(({ kind }) => kind === "remove") : wanted;
    for (const { kind, member } of changes) if (kind !== "remove") replicas.get(member)?.start();
    if (changes.length === 0) return;
    const added = changes.filter(({ kind }) => kind !== "remove").map(({ member }) => member);
    onAsked(leader.replica.id, [leader.replica.id, ...leader.store.members().learners, ...added]);
    leader.store.changeMembers(changes, { timeoutMs: CHANGE_MS }).then(
      () => verdict.mark(`members: ${change}`),
      (error: unknown) => {
        if (error instanceof StoreError) again();
        else verdict.fail("a store fails in its own words", String(error));
      },
    );
  }

  /**
   * What the operator asks for; nothing that would leave a quorum to a damaged voter. Nor is a voter dropped where its
   * vote may be needed afterwards, by who does not know yet that it was dropped while its log is the longer one: not one
   * of two, and not the leader of an even number. So the mesh keeps odd numbers of voters, and transfers the leadership
   * first.
   */
  #changesFor(change: MembersChange, pick: number, store: RaftStore): readonly MemberChange[] {
    const { voters, learners } = store.members();
    const spare = this.#spare(store);
    const { world, damaged } = this.#options;
    const voter = damaged() ?? voters[pick % voters.length] ?? 0;
    const add: MemberChange[] = spare === undefined ? [] : [{ kind: "addVoter", member: spare }];
    const drop: MemberChange = { kind: "remove", member: voter };
    const mayLoseDisk = world.scenario.faults.some(({ kind }) => kind === "damage" || kind === "put back");
    const tight = voters.length % 2 === 0 || mayLoseDisk;
    const wedges = tight && store.leadership().leader === voter;
    const canDrop = voters.length > 2 && voters.includes(voter) && !wedges;
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
      case "demote":
        return canDrop ? [{ kind: "addLearner", member: voter }] : [];
    }
  }

  /** A replica that was never a member: a number is not used again. */
  #spare(store: RaftStore): number | undefined {
    const { voters, learners } = store.members();
    const { replicas, scenario } = this.#options.world;
    return [...replicas.values()].find(
      ({ id, process }) =>
        process === null && id > scenario.founders && ![...voters, ...learners].includes(id),
    )?.id;
  }
}
