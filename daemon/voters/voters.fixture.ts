import { nodeId } from "../../scheduler/model/ids.ts";
import type { VoteWish } from "../../scheduler/model/node.ts";
import { TestCluster } from "../../scheduler/state/cluster.fixture.ts";
import type { MemberChange, Members, MemberProgress } from "./members.ts";
import { nextStep } from "./next-step.ts";
import type { VotersAtHand, VoterStep } from "./next-step.ts";
import { wantedVoters } from "./wanted-voters.ts";

const REPLACE_AFTER_MS = 60_000;

export interface TestNode {
  readonly state?: "ready" | "lost lately" | "lost long ago";
  /** Whether raft hears of it. */
  readonly answers?: boolean;
  readonly spot?: boolean;
  readonly domain?: string;
  readonly vote?: VoteWish;
  /** It became ready just now. */
  readonly isNew?: boolean;
}

/** A mesh of nodes n1, n2, ... and what its leader knows; the changes that it makes are done at once. */
export class TestMembers {
  readonly #cluster = new TestCluster();
  readonly #nodes: readonly TestNode[];
  members: Members;
  leader: number;

  constructor(nodes: readonly TestNode[], members: Partial<Members> & { readonly leader?: number }) {
    this.#nodes = nodes;
    this.members = { voters: members.voters ?? [1], learners: members.learners ?? [], joint: false };
    this.leader = members.leader ?? this.members.voters[0] ?? 1;
    nodes.forEach((node, index) => {
      const name = `n${index + 1}`;
      const { spot = false, domain, vote, state = "ready" } = node;
      this.#cluster.register(name, { spot, ...(domain === undefined ? {} : { failureDomain: domain }) });
      if (state !== "ready") this.#cluster.expire(name);
      if (vote !== undefined) {
        const at = this.#cluster.now;
        this.#cluster.must({ kind: "setVote", at, requestId: `vote-${name}`, node: nodeId(name), vote });
      }
    });
    const settings = {
      kind: "configureMesh",
      requestId: "settings",
      voterReplaceAfterMs: REPLACE_AFTER_MS,
    } as const;
    this.#cluster.must({ ...settings, at: this.#cluster.now });
    const { state } = this.#cluster;
    for (const record of state.nodes.values()) {
      const node = nodes[record.number - 1];
      const ago = node?.state === "lost lately" || node?.isNew === true ? 0 : REPLACE_AFTER_MS;
      state.putNode({ ...record, state: { ...record.state, since: this.now - ago } });
    }
  }

  get now(): number {
    return 1_800_000_000_000;
  }

  answers(member: number): boolean {
    const node = this.#nodes[member - 1];
    return node?.answers ?? (node?.state ?? "ready") === "ready";
  }

  get atHand(): VotersAtHand {
    const { members, leader } = this;
    const progress = new Map(
      [...members.voters, ...members.learners].map((member): [number, MemberProgress] => [
        member,
        { match: this.answers(member) ? 500 : 100, silentMs: this.answers(member) ? 0 : 99_000 },
      ]),
    );
    return { view: this.#cluster.state, members, leader, progress, lastIndex: 500 };
  }

  wanted(): readonly number[] {
    const { members, leader, now } = this;
    return wantedVoters({ view: this.#cluster.state, members, leader, now });
  }

  step(): VoterStep {
    return nextStep(this.atHand, this.wanted());
  }

  carryOut(step: VoterStep): void {
    if (step.kind === "handOver") this.leader = step.to;
    if (step.kind !== "change") return;
    const voters = new Set(this.members.voters);
    const learners = new Set(this.members.learners);
    for (const { kind, member } of step.changes) {
      voters.delete(member);
      learners.delete(member);
      if (kind === "addVoter") voters.add(member);
      if (kind === "addLearner") learners.add(member);
    }
    this.members = { voters: ascending(voters), learners: ascending(learners), joint: false };
  }

  /** Steps until there is nothing more to do; gives all of them as text. */
  settle(): readonly string[] {
    const steps: string[] = [];
    for (;;) {
      const step = this.step();
      if (step.kind === "wait" || step.kind === "done") return [...steps, asText(step)];
      steps.push(asText(step));
      if (steps.length > 50) throw new Error(`it does not settle: ${steps.join("; ")}`);
      this.carryOut(step);
    }
  }
}

function asText(step: VoterStep): string {
  if (step.kind === "change") return step.changes.map(describeChange).join(" ");
  if (step.kind === "handOver") return `lead>${step.to}`;
  return step.kind === "wait" ? `wait: ${step.reason}` : "done";
}

function describeChange({ kind, member }: MemberChange): string {
  return `${{ addLearner: "learn", addVoter: "+", remove: "-" }[kind]}${member}`;
}

function ascending(members: Iterable<number>): number[] {
  return [...members].toSorted((a, b) => a - b);
}
