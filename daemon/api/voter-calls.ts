import { status } from "@grpc/grpc-js";
import { nodeId } from "../../scheduler/model/ids.ts";
import type { ConfigureMeshReply } from "../../proto/gen/gpumesh/v1/ConfigureMeshReply.ts";
import type { ConfigureMeshRequest__Output } from "../../proto/gen/gpumesh/v1/ConfigureMeshRequest.ts";
import type { ListVotersReply } from "../../proto/gen/gpumesh/v1/ListVotersReply.ts";
import type { ListVotersRequest__Output } from "../../proto/gen/gpumesh/v1/ListVotersRequest.ts";
import type { SetVoteReply } from "../../proto/gen/gpumesh/v1/SetVoteReply.ts";
import type { SetVoteRequest__Output } from "../../proto/gen/gpumesh/v1/SetVoteRequest.ts";
import type { TransferLeaderReply } from "../../proto/gen/gpumesh/v1/TransferLeaderReply.ts";
import type { TransferLeaderRequest__Output } from "../../proto/gen/gpumesh/v1/TransferLeaderRequest.ts";
import type { Voter } from "../../proto/gen/gpumesh/v1/Voter.ts";
import { answers, hasCaughtUp } from "../voters/members.ts";
import { nameOf, nextStep } from "../voters/next-step.ts";
import type { VotersAtHand, VoterStep } from "../voters/next-step.ts";
import { wantedVoters } from "../voters/wanted-voters.ts";
import { whyNotWished } from "../voters/wish.ts";
import type { ApiContext } from "./api-context.ts";
import { checkRequestId, freshStore, resultOf } from "./api-context.ts";
import { CallError } from "./call-error.ts";

const REPLACE_AFTER_MIN_MS = 1_000;
const REPLACE_AFTER_MAX_MS = 30 * 24 * 3_600_000;
const WISHES = ["automatic", "preferred", "barred"] as const;

export async function listVoters(
  context: ApiContext,
  _request: ListVotersRequest__Output,
): Promise<ListVotersReply> {
  const at = await votersAtHand(context);
  const { view, members, lastIndex, leader } = at;
  const wanted = wantedVoters({ view, members, leader, now: context.now() });
  const { mesh } = view;
  return {
    members: [...members.voters, ...members.learners]
      .toSorted((a, b) => a - b)
      .map((number) => presentVoter(at, number)),
    wanted: wanted.map((number) => nameOf(at, number)),
    doing: describeStep(at, nextStep(at, wanted)),
    lastIndex,
    term: at.term,
    voterReplaceAfterMs: mesh?.voterReplaceAfterMs ?? 0,
    recoveryEpoch: mesh?.recoveryEpoch ?? 0,
    recoveredAtMs: mesh?.recoveredAt ?? 0,
    leftBehind: [...view.nodes.values()].filter((node) => node.leftBehindAt !== null).map(({ id }) => id),
  };
}

function presentVoter({ view, members, progress, lastIndex, leader }: VotersAtHand, number: number): Voter {
  const node = view.nodeByNumber(number);
  const known = progress.get(number);
  const match = known?.match ?? 0;
  return {
    name: nameOf({ view }, number),
    number,
    role: members.voters.includes(number) ? "voter" : "learner",
    leader: number === leader,
    wish: node?.vote ?? "automatic",
    failureDomain: node?.facts?.failureDomain ?? "",
    spot: node?.facts?.spot ?? false,
    state: node?.state.kind ?? "",
    match,
    behind: Math.max(0, lastIndex - match),
    silentMs: known?.silentMs ?? -1,
  };
}

/** Refused before it is proposed: what is wished is carried out by whoever leads then, who would only wait. */
export async function setVote(context: ApiContext, request: SetVoteRequest__Output): Promise<SetVoteReply> {
  const { requestId } = request;
  checkRequestId(requestId);
  const wish = WISHES.find((known) => known === request.wish);
  if (wish === undefined)
    throw new CallError(status.INVALID_ARGUMENT, `wish must be one of ${WISHES.join(", ")}`);
  const store = await freshStore(context);
  const at = await votersAtHand(context);
  const node = nodeId(request.node);
  if (at.view.answerTo(requestId) === null) {
    const refusal = whyNotWished(at, node, wish, context.now());
    if (refusal !== null) throw new CallError(status.FAILED_PRECONDITION, refusal);
  }
  await resultOf(store.propose({ kind: "setVote", at: context.now(), requestId, node, vote: wish }));
  return {};
}

export async function transferLeader(
  context: ApiContext,
  request: TransferLeaderRequest__Output,
): Promise<TransferLeaderReply> {
  const at = await votersAtHand(context);
  const { members, progress, lastIndex, leader } = at;
  const handedOver = request.term !== 0 && at.term !== request.term;
  const to = request.node === "" ? null : (at.view.nodes.get(nodeId(request.node))?.number ?? 0);
  if (handedOver || to === leader) return { leader: nameOf(at, leader) };
  const refused = (why: string): CallError => new CallError(status.FAILED_PRECONDITION, why);
  const names = members.voters.map((number) => nameOf(at, number)).join(", ");
  if (to !== null && !members.voters.includes(to))
    throw refused(`${request.node} is no voter, and only a voter can lead; the voters are ${names}`);
  const able = members.voters.filter((number) => {
    const known = progress.get(number);
    return number !== leader && answers(known) && hasCaughtUp(known, lastIndex);
  });
  if (to !== null && !able.includes(to))
    throw refused(
      `${request.node} does not answer, or lacks much of the log: start it, or name another voter`,
    );
  if (able.length === 0)
    throw refused(`of the voters ${names} none but ${nameOf(at, leader)} can lead: start another one first`);
  const store = await freshStore(context);
  if (!(await store.handOver(to ?? undefined)))
    throw new CallError(status.UNAVAILABLE, `no other voter has taken the lead; try again`);
  return { leader: nameOf(at, store.leadership().leader ?? to ?? 0) };
}

export async function configureMesh(
  context: ApiContext,
  request: ConfigureMeshRequest__Output,
): Promise<ConfigureMeshReply> {
  const { requestId, voterReplaceAfterMs } = request;
  checkRequestId(requestId);
  if (voterReplaceAfterMs < REPLACE_AFTER_MIN_MS || voterReplaceAfterMs > REPLACE_AFTER_MAX_MS)
    throw new CallError(
      status.INVALID_ARGUMENT,
      `voter_replace_after_ms is ${voterReplaceAfterMs}; it must be ${REPLACE_AFTER_MIN_MS} to ${REPLACE_AFTER_MAX_MS}`,
    );
  const store = await freshStore(context);
  await resultOf(store.propose({ kind: "configureMesh", at: context.now(), requestId, voterReplaceAfterMs }));
  return {};
}

/** All of it from one confirmed round, by the leader. */
async function votersAtHand(context: ApiContext): Promise<VotersAtHand & { readonly term: number }> {
  const store = await freshStore(context);
  const { leads, leader, term } = store.leadership();
  if (!leads || leader === null)
    throw new CallError(status.UNAVAILABLE, "this daemon leads no more; try again shortly");
  return {
    view: store.view(),
    members: store.members(),
    progress: store.memberProgress(),
    lastIndex: store.lastIndex(),
    leader,
    term,
  };
}

function describeStep(at: VotersAtHand, step: VoterStep): string {
  switch (step.kind) {
    case "change": {
      const words = { addLearner: "gets the log", addVoter: "becomes a voter", remove: "leaves" };
      return step.changes.map(({ kind, member }) => `${nameOf(at, member)} ${words[kind]}`).join(", ");
    }
    case "handOver":
      return `${nameOf(at, step.to)} takes the lead`;
    case "wait":
      return step.reason;
    case "done":
      return "";
  }
}
