import { expect, it } from "vitest";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { VoteWish } from "../../scheduler/model/node.ts";
import type { Members } from "./members.ts";
import { TestMembers } from "./voters.fixture.ts";
import type { TestNode } from "./voters.fixture.ts";
import { whyNotWished } from "./wish.ts";

const ready: TestNode = {};
const lately: TestNode = { state: "lost lately" };
const preferred: TestNode = { vote: "preferred" };
const three = { voters: [1, 2, 3] };

const cases: readonly {
  readonly what: string;
  readonly nodes: readonly TestNode[];
  readonly members?: Partial<Members>;
  readonly node: string;
  readonly wish: VoteWish;
  readonly refusal: string | null;
}[] = [
  {
    what: "demoting one that another node can replace",
    nodes: [ready, ready, ready, ready],
    members: three,
    node: "n3",
    wish: "barred",
    refusal: null,
  },
  {
    what: "demoting one of three while another does not answer",
    nodes: [ready, lately, ready],
    members: three,
    node: "n3",
    wish: "barred",
    refusal:
      "demoting n3 leaves 2 voters, n1, n2, of which 1 answers: 2 are needed; " +
      "start n2 first, or join another node",
  },
  {
    what: "demoting one of three",
    nodes: [ready, ready, ready],
    members: three,
    node: "n3",
    wish: "barred",
    refusal:
      "demoting n3 leaves 2 voters, n1, n2, and a mesh that has 3 keeps so many, to bear a loss: join another node first",
  },
  {
    what: "demoting the only one",
    nodes: [ready],
    node: "n1",
    wish: "barred",
    refusal: "n1 is the only voter, and no other node can vote: join another one first",
  },
  {
    what: "demoting one of five where three would be left that do not answer enough",
    nodes: [ready, ready, ready, { ...ready, answers: false }, { ...ready, answers: false }, { spot: true }],
    members: { voters: [1, 2, 3, 4, 5] },
    node: "n3",
    wish: "barred",
    refusal: null,
  },
  {
    what: "promoting a client",
    nodes: [ready, ready, ready, ready],
    members: three,
    node: "n4",
    wish: "preferred",
    refusal: null,
  },
  {
    what: "promoting one that is lost",
    nodes: [ready, ready, ready, lately],
    members: three,
    node: "n4",
    wish: "preferred",
    refusal: "n4 is lost (no renewal for 6.5 s): start its daemon first",
  },
  {
    what: "promoting one more than there are seats",
    nodes: [preferred, preferred, preferred, ready],
    members: three,
    node: "n4",
    wish: "preferred",
    refusal: "n1, n2, n3 are promoted already, and the mesh has 3 voters: demote one of them first",
  },
  {
    what: "promoting one that would leave no majority that answers",
    nodes: [ready, { answers: false }, { ...ready, vote: "preferred" }, ready],
    members: { voters: [1, 2, 3], learners: [4] },
    node: "n2",
    wish: "preferred",
    refusal: null,
  },
  {
    what: "promoting where the voters of now have no majority",
    nodes: [ready, lately, lately, ready],
    members: three,
    node: "n4",
    wish: "preferred",
    refusal:
      "n4 can not be preferred now: of the voters n1, n2, n3 only n1 answers: 2 are needed; start n2 or n3 first",
  },
  { what: "a node that nobody knows", nodes: [ready], node: "n9", wish: "barred", refusal: null },
];

for (const { what, nodes, members = {}, node, wish, refusal } of cases) {
  it(`${what} is ${refusal === null ? "fine" : "refused with the arithmetic"}`, () => {
    const mesh = new TestMembers(nodes, members);
    expect(whyNotWished(mesh.atHand, nodeId(node), wish, mesh.now)).toBe(refusal);
  });
}
