import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { VoteWish } from "../../scheduler/model/node.ts";
import { TestCluster } from "../../scheduler/state/cluster.fixture.ts";
import type { MemberChange, Members, MemberProgress } from "./members.ts";
import { nextStep } from "./next-step.ts";
import type { VoterStep } from "./next-step.ts";
import { quorumFault } from "./quorum.ts";
import { wantedVoters } from "./wanted-voters.ts";

const REPLACE_AFTER_MS = 60_000;

interface TestNode {
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
class TestMembers {
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
    for (const record of [...state.nodes.values()]) {
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

  wanted(): readonly number[] {
    const { members, leader, now } = this;
    return wantedVoters({ view: this.#cluster.state, members, leader, now });
  }

  step(): VoterStep {
    const progress = new Map(
      [...this.members.voters, ...this.members.learners].map((member): [number, MemberProgress] => [
        member,
        { match: this.answers(member) ? 500 : 100, silentMs: this.answers(member) ? 0 : 99_000 },
      ]),
    );
    const { members, leader } = this;
    return nextStep({ view: this.#cluster.state, members, leader, progress, lastIndex: 500 }, this.wanted());
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

const ready: TestNode = {};
const readyNodes = (count: number): readonly TestNode[] => Array.from({ length: count }, () => ready);
const lately: TestNode = { state: "lost lately" };
const dead: TestNode = { state: "lost long ago" };
const spot: TestNode = { spot: true };
const three = { voters: [1, 2, 3] };

describe("the voters of a mesh", () => {
  const cases: readonly {
    readonly of: string;
    readonly nodes: readonly TestNode[];
    readonly members?: Partial<Members> & { readonly leader?: number };
    readonly steps: readonly string[];
  }[] = [
    { of: "one node", nodes: [ready], steps: ["done"] },
    { of: "two nodes", nodes: [ready, ready], steps: ["done"] },
    { of: "three nodes", nodes: [ready, ready, ready], steps: ["learn2 learn3", "+2 +3", "done"] },
    { of: "four nodes", nodes: readyNodes(4), steps: ["learn2 learn3", "+2 +3", "done"] },
    {
      of: "five nodes",
      nodes: readyNodes(5),
      steps: ["learn2 learn3 learn4 learn5", "+2 +3 +4 +5", "done"],
    },
    {
      of: "five nodes, of which one is spot",
      nodes: [ready, spot, ready, ready, ready],
      steps: ["learn3 learn4", "+3 +4", "done"],
    },
    { of: "three spot nodes", nodes: [spot, spot, spot], steps: ["learn2 learn3", "+2 +3", "done"] },
    {
      of: "racks",
      nodes: [{ domain: "a" }, { domain: "a" }, { domain: "b" }, { domain: "a" }],
      steps: ["learn2 learn3", "+2 +3", "done"],
    },
    {
      of: "racks enough",
      nodes: [{ domain: "a" }, { domain: "a" }, { domain: "b" }, { domain: "c" }],
      steps: ["learn3 learn4", "+3 +4", "done"],
    },
    {
      of: "a learner that does not answer",
      nodes: [ready, ready, { answers: false }],
      steps: ["learn2 learn3", "wait: n3 is to vote, and does not answer yet"],
    },
    { of: "a voter lost lately", nodes: [ready, ready, lately, ready], members: three, steps: ["done"] },
    {
      of: "a voter lost long ago",
      nodes: [ready, ready, dead, ready],
      members: three,
      steps: ["learn4", "+4 -3", "done"],
    },
    {
      of: "a voter lost long ago, with none to take its place",
      nodes: [ready, ready, dead],
      members: three,
      steps: ["done"],
    },
    {
      of: "a majority lost",
      nodes: [ready, dead, dead, ready],
      members: three,
      steps: ["wait: of the voters n1, n2, n3 only n1 answers: 2 are needed"],
    },
    {
      of: "five voters of which two are lost",
      nodes: [ready, ready, ready, dead, dead],
      members: { voters: [1, 2, 3, 4, 5] },
      steps: ["-4 -5", "done"],
    },
    {
      of: "a barred leader",
      nodes: [{ vote: "barred" }, ready, ready, ready],
      members: three,
      steps: ["learn4", "lead>2", "+4 -1", "done"],
    },
    {
      of: "a barred voter, with none to take its place",
      nodes: [ready, { vote: "barred" }, ready],
      members: three,
      steps: ["done"],
    },
    {
      of: "a preferred node",
      nodes: [ready, ready, ready, { vote: "preferred", isNew: true }],
      members: three,
      steps: ["learn4", "+4 -3", "done"],
    },
    {
      of: "a preferred node in a mesh of two",
      nodes: [ready, { vote: "preferred" }],
      steps: ["learn2", "+2", "lead>2", "-1", "done"],
    },
    {
      of: "a spot voter while a better node has settled",
      nodes: [ready, spot, ready, ready],
      members: three,
      steps: ["learn4", "+4 -2", "done"],
    },
    {
      of: "a spot voter while a better node is new",
      nodes: [ready, spot, ready, { isNew: true }],
      members: three,
      steps: ["done"],
    },
    {
      of: "two voters in one rack while another rack has none",
      nodes: [{ domain: "a" }, { domain: "a" }, { domain: "b" }, { domain: "c" }],
      members: three,
      steps: ["learn4", "+4 -2", "done"],
    },
    {
      of: "learners that are not needed",
      nodes: readyNodes(4),
      members: { voters: [1, 2, 3], learners: [4] },
      steps: ["-4", "done"],
    },
  ];
  for (const { of, nodes, members = {}, steps } of cases) {
    it(`with ${of}: ${steps.join("; ")}`, () => {
      expect(new TestMembers(nodes, members).settle()).toEqual(steps);
    });
  }

  it("are left alone while a change is under way", () => {
    const mesh = new TestMembers(readyNodes(5), {});
    mesh.members = { ...mesh.members, joint: true };
    expect(mesh.step()).toEqual({ kind: "wait", reason: "a change of the voters is under way" });
  });
});

const node = fc.record<Required<Pick<TestNode, "state" | "spot" | "isNew">> & TestNode>(
  {
    state: fc.constantFrom("ready", "ready", "ready", "lost lately", "lost long ago"),
    spot: fc.boolean(),
    isNew: fc.boolean(),
    domain: fc.constantFrom("a", "b", "c"),
    vote: fc.constantFrom<VoteWish>("automatic", "automatic", "automatic", "preferred", "barred"),
  },
  { requiredKeys: ["state", "spot", "isNew"] },
);

/** Nodes of all kinds, of which any are members, and any voter that answers leads. */
const meshes = fc
  .array(node, { minLength: 1, maxLength: 9 })
  .chain((nodes) =>
    fc.record({
      nodes: fc.constant(nodes),
      roles: fc.array(fc.constantFrom("voter", "voter", "learner", "client"), {
        minLength: nodes.length,
        maxLength: nodes.length,
      }),
      leader: fc.nat(),
    }),
  )
  .map(({ nodes, roles, leader }) => {
    const numbers = (role: string): number[] => roles.flatMap((one, nth) => (one === role ? [nth + 1] : []));
    const here = numbers("voter").filter((member) => nodes[member - 1]?.state === "ready");
    return {
      nodes,
      voters: numbers("voter"),
      learners: numbers("learner"),
      leader: here[leader % here.length],
    };
  })
  .filter(({ leader }) => leader !== undefined)
  .map(({ nodes, voters, learners, leader = 1 }) => new TestMembers(nodes, { voters, learners, leader }));

describe("from any state, the voters", () => {
  it("change only while those who answer are a majority before and after, and never lose their leader", () => {
    fc.assert(
      fc.property(meshes, (mesh) => {
        for (let step = mesh.step(); step.kind === "change" || step.kind === "handOver"; step = mesh.step()) {
          const { voters } = mesh.members;
          mesh.carryOut(step);
          const answersNow = (member: number): boolean => mesh.answers(member);
          expect(mesh.members.voters).toContain(mesh.leader);
          expect(mesh.answers(mesh.leader)).toBe(true);
          if (step.kind === "handOver") continue;
          expect(quorumFault(voters, answersNow)).toBeNull();
          expect(quorumFault(mesh.members.voters, answersNow)).toBeNull();
        }
      }),
      { numRuns: 500 },
    );
  });

  it("settle, within few steps, and are 1, 3 or 5 where enough of them answer", () => {
    fc.assert(
      fc.property(meshes, (mesh) => {
        const steps = mesh.settle();
        expect(steps.length).toBeLessThan(12);
        if (steps.at(-1) !== "done") return;
        const { voters, learners } = mesh.members;
        expect(learners).toEqual([]);
        expect([1, 3, 5]).toContain(voters.length);
        expect(mesh.wanted()).toEqual(voters);
      }),
      { numRuns: 500 },
    );
  });

  it("wait only for a majority, or for somebody to answer", () => {
    fc.assert(
      fc.property(meshes, (mesh) => {
        const last = mesh.settle().at(-1) ?? "";
        if (last === "done") return;
        expect(last).toMatch(
          /^wait: (of the voters .* needed|.* does not answer yet|no voter that stays .*)$/,
        );
        const { voters } = mesh.members;
        const all = [...voters, ...mesh.wanted()];
        expect(all.every((member) => mesh.answers(member))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
