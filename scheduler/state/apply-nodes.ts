import type { ApplyResult, ExpireNode, RegisterNode } from "../model/command.ts";
import { session } from "../model/ids.ts";
import { formatInstant } from "../model/instant.ts";
import type { NodeFacts, NodeRecord } from "../model/node.ts";
import { isGone, settle, terminating, withAttempt, withProgress } from "./finish.ts";
import { uncharged } from "./outcome.ts";
import { APPLIED, refused, stale } from "./refusal.ts";
import type { State } from "./state.ts";

/**
 * A node keeps its session when it comes back on the same boot before it was expired. A new boot id proves that
 * everything of the old session is dead: it is lost here, without waiting for the lease.
 */
export function registerNode(state: State, command: RegisterNode, index: number): ApplyResult {
  const { facts, at } = command;
  const node = state.nodes.get(facts.id);
  if (node === undefined) {
    return refused(
      "not-found",
      `node ${facts.id} was never admitted to this mesh; join it with a token first`,
    );
  }

  if (node.leftBehindAt !== null) {
    const when = formatInstant(node.leftBehindAt);
    return refused(
      "not-permitted",
      `this mesh was recovered at ${when} without ${node.id}, whose data folder belongs to the mesh before; ` +
        "remove the data folder and join again under another name",
    );
  }

  if (node.state.kind === "ready" && node.facts?.bootId === facts.bootId) {
    const changed = placementFacts(node.facts) !== placementFacts(facts);
    state.putNode({ ...node, facts, placeable: node.placeable + (changed ? 1 : 0) });
    return { kind: "node", number: node.number, session: node.session };
  }

  if (node.state.kind === "ready") loseParts(state, node, at, "the machine was rebooted");
  const opened = session(index);
  state.putNode({
    ...node,
    facts,
    session: opened,
    placeable: node.placeable + 1,
    state: { kind: "ready", since: at },
  });
  return { kind: "node", number: node.number, session: opened };
}

/** Ends the named session: its ranks are proven dead. */
export function expireNode(state: State, command: ExpireNode): ApplyResult {
  const node = state.nodes.get(command.node);
  if (node === undefined) return refused("not-found", `no node is named ${command.node}`);
  if (node.state.kind !== "ready") return stale(`node ${node.id} is ${node.state.kind}, not ready`);
  if (node.session !== command.session) {
    return stale(`node ${node.id} has session ${node.session}, not ${command.session}`);
  }
  state.putNode({
    ...node,
    placeable: node.placeable + 1,
    state: { kind: "lost", since: command.at, reason: command.reason },
  });
  loseParts(state, node, command.at, command.reason);
  return APPLIED;
}

/** Every part of the node's session that may still have run is lost; its gangs are to end and be tried again. */
function loseParts(state: State, node: NodeRecord, at: number, reason: string): void {
  for (const allocation of state.allocationsOf(node.id)) {
    const job = state.jobs.get(allocation.job);
    if (job === undefined || !("attempt" in job.state)) {
      throw new Error(`job ${allocation.job} holds resources on node ${node.id} without an attempt`);
    }
    const part = job.state.attempt.parts.find((candidate) => candidate.node === node.id);
    if (part === undefined) throw new Error(`job ${job.id} has no part on node ${node.id}`);
    if (isGone(part)) continue;

    const attempt = withProgress(job.state.attempt, part, { kind: "lost", reason });
    const next =
      job.state.kind === "terminating"
        ? withAttempt(job.state, attempt)
        : terminating(job.state, attempt, uncharged(`node ${node.id} was lost: ${reason}`));
    settle(state, job, next, at);
  }
}

/** What a placement rests on, as one comparable text: address, pool, GPUs, slots, memory. Never use or detail. */
function placementFacts({ address, pool, inventory }: NodeFacts): string {
  const gpus = inventory.gpus.map((gpu) => [gpu.uuid, gpu.index, gpu.name, gpu.memoryMiB, gpu.healthy]);
  return JSON.stringify([address, pool, inventory.slots, inventory.memoryMiB, gpus]);
}
