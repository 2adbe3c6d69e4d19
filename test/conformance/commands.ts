import { parseConfChanges } from "../../daemon/raft/core/conf-change/parse.ts";
import {
  EMPTY_BYTES,
  MESSAGE_TYPES,
  RaftError,
  describeEntries,
  describeMessage,
  message,
} from "../../daemon/raft/core/core.ts";
import type {
  ConfChange,
  ConfChangeTransition,
  MessageType,
  RaftErrorCode,
  Snapshot,
} from "../../daemon/raft/core/core.ts";
import { jointIds } from "../../daemon/raft/core/quorum/joint.ts";
import {
  Refusal,
  lastValue,
  nodeIds,
  parseFlag,
  parseUnsigned,
  refusing,
  soleValue,
  valuesOf,
  word,
} from "./arguments.ts";
import { parseDirective } from "./datadriven.ts";
import type { Directive, Stanza } from "./datadriven.ts";
import type { Environment, Recipient, ScriptedNode } from "./environment.ts";
import { parseLevel } from "./output.ts";

/** Far more than any script asks for: a typing error must not fill the memory or run for ever. */
const NODES_MAX = 1000;
const TICKS_MAX = 100_000;

/** In etcd-io/raft these end the process. */
const FATAL_CODES: ReadonlySet<RaftErrorCode> = new Set<RaftErrorCode>([
  "config-invalid",
  "conf-change-invalid",
]);

type Command = (env: Environment, directive: Directive) => void;

/** The directives of interaction scripts. Each prints into the environment's output, or throws a refusal. */
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["_breakpoint", () => undefined],
  ["add-nodes", addNodes],
  ["campaign", (env, directive) => firstNode(env, directive).raw.campaign()],
  ["compact", compact],
  ["deliver-msgs", deliverMessages],
  ["forget-leader", (env, directive) => firstNode(env, directive).raw.forgetLeader()],
  ["log-level", (env, { args }) => void (env.output.level = parseLevel(word(args, 0)))],
  ["process-append-thread", eachNode("processing append thread", (env, id) => env.processAppendWork(id))],
  ["process-apply-thread", eachNode("processing apply thread", (env, id) => env.processApplyWork(id))],
  ["process-ready", eachNode("handling Ready", (env, id) => env.processReady(id))],
  ["propose", propose],
  ["raft-log", (env, directive) => printLog(env, firstNode(env, directive).id)],
  ["raft-state", printStates],
  ["report-unreachable", reportUnreachable],
  ["send-snapshot", sendSnapshot],
  ["set-randomized-election-timeout", setElectionTimeout],
  ["stabilize", stabilize],
  ["status", printStatus],
  ["tick", (env, directive) => tick(env, directive, parseUnsigned(word(directive.args, 1)))],
  ["tick-election", (env, directive) => tick(env, directive, firstNode(env, directive).config.electionTick)],
  [
    "tick-heartbeat",
    (env, directive) => tick(env, directive, firstNode(env, directive).config.heartbeatTick),
  ],
  ["transfer-leadership", transferLeadership],
]);

/**
 * Runs one stanza of an interaction script. Each line of its input is a further directive, except where it is the input
 * of `propose-conf-change`. Refusals are printed even when the log level hides everything else, and the first one of all
 * directives ends the stanza then.
 */
export function runInteractionStanza(env: Environment, stanza: Stanza): string {
  const { command, input } = stanza;
  let refusal = "";
  if (command === "propose-conf-change") {
    refusal = refusalOf(() => proposeConfChange(env, stanza, input));
  } else {
    const further = input === "" ? [] : input.split("\n");
    refusal = refusalOf(() => runDirective(env, stanza));
    while (refusal === "" && further.length > 0) {
      const next = parseDirective(further.shift() ?? "");
      const text = refusalOf(() => runDirective(env, next));
      if (env.output.isQuiet) refusal = text;
      else env.output.write(text);
    }
  }
  const printed = env.output.take();
  if (refusal !== "" && env.output.isQuiet) return refusal;
  return printed + refusal === "" ? "ok" : printed + refusal;
}

function runDirective(env: Environment, directive: Directive): void {
  const command = COMMANDS.get(directive.command);
  if (command === undefined) throw new Refusal("unknown command");
  command(env, directive);
}

/** The text of a refusal that the work ends with, or nothing. */
function refusalOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    const isPrinted =
      error instanceof Refusal || (error instanceof RaftError && !FATAL_CODES.has(error.code));
    if (!isPrinted) throw error;
    return error.message;
  }
  return "";
}

function addNodes(env: Environment, { args }: Directive): void {
  const count = parseUnsigned(word(args, 0));
  if (count > NODES_MAX) throw new Error(`a script may have at most ${NODES_MAX} nodes`);
  const flag = (key: string): boolean => valuesOf(args, key).map(parseFlag).at(-1) ?? false;
  const number = (key: string, otherwise: number): number =>
    valuesOf(args, key).map(parseUnsigned).at(-1) ?? otherwise;
  const readOnly = valuesOf(args, "read-only");
  const invalid = readOnly.find((option) => option !== "safe" && option !== "lease-based");
  if (invalid !== undefined) throw new Refusal(`invalid read-only option ${JSON.stringify(invalid)}`);
  const index = number("index", 0);
  const voters = valuesOf(args, "voters").map(parseUnsigned);
  const learners = valuesOf(args, "learners").map(parseUnsigned);
  const content = lastValue(args, "content") ?? "";
  const isBootstrapped = index > 0 || voters.length > 0 || learners.length > 0 || content !== "";
  if (count > 0 && isBootstrapped && index <= 1) {
    throw new Refusal("index must be specified as > 1 due to bootstrap");
  }
  const snapshot: Snapshot = {
    data: new TextEncoder().encode(content),
    metadata: {
      index,
      term: isBootstrapped ? 1 : 0,
      confState: { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false },
    },
  };
  for (let added = 0; added < count; added += 1) {
    env.addNode(
      {
        electionTick: number("election-tick", 3),
        heartbeatTick: number("heartbeat-tick", 1),
        applied: index,
        maxSizePerMsg: Infinity,
        maxInflightMsgs: number("inflight", 2 ** 31 - 1),
        // 0 asks for the default, which is no limit.
        maxCommittedSizePerReady: number("max-committed-size-per-ready", 0) || Infinity,
        asyncStorageWrites: flag("async-storage-writes"),
        checkQuorum: flag("checkquorum"),
        preVote: flag("prevote"),
        disableConfChangeValidation: flag("disable-conf-change-validation"),
        stepDownOnRemoval: flag("step-down-on-removal"),
        callerReadsUnderLease: readOnly.at(-1) === "lease-based",
      },
      snapshot,
    );
  }
}

function compact(env: Environment, directive: Directive): void {
  const node = firstNode(env, directive);
  const last = word(directive.args, 1);
  node.storage.compact(refusing(() => parseUnsigned(last)));
  printLog(env, node.id);
}

function deliverMessages(env: Environment, { args }: Directive): void {
  const recipients: Recipient[] = [];
  for (const { key, values } of args) {
    if (values.length === 0) recipients.push({ id: parseUnsigned(key), drop: false });
    if (key !== "drop") continue;
    for (const id of values.map(parseUnsigned)) {
      if (recipients.some((each) => each.id === id)) {
        throw new Error(`can't both deliver and drop msgs to ${id}`);
      }
      recipients.push({ id, drop: true });
    }
  }
  const type = valuesOf(args, "type").map(parseMessageType).at(-1);
  if (env.deliver(recipients, type) === 0) env.output.write("no messages\n");
}

function parseMessageType(name: string): MessageType {
  const type = MESSAGE_TYPES.find((each) => each === name);
  if (type === undefined) throw new Error(`unknown message type ${name}`);
  return type;
}

function propose(env: Environment, directive: Directive): void {
  const [, data, ...rest] = directive.args;
  if (data === undefined || data.values.length > 0 || rest.length > 0) {
    throw new Error("propose takes a node and a word to propose");
  }
  firstNode(env, directive).raw.propose(new TextEncoder().encode(data.key));
}

function proposeConfChange(env: Environment, { args }: Directive, input: string): void {
  const id = parseUnsigned(word(args, 0));
  const unknown = args.slice(1).find(({ key, values }) => values.length > 0 && !isConfChangeKey(key));
  if (unknown !== undefined) throw new Refusal(`unknown command ${unknown.key}`);
  const isV1 = refusing(() => valuesOf(args, "v1").map(parseFlag)).at(-1) ?? false;
  const transition = valuesOf(args, "transition").map(parseTransition).at(-1) ?? "ConfChangeTransitionAuto";
  const changes = refusing(() => parseConfChanges(input));
  const [only] = changes;
  if (isV1 && (changes.length > 1 || transition !== "ConfChangeTransitionAuto")) {
    throw new Refusal("v1 conf change can only have one operation and no transition");
  }
  if (isV1 && only === undefined) throw new Error("v1 conf change without an operation");
  const change: ConfChange =
    isV1 && only !== undefined
      ? { kind: "v1", ...only, context: EMPTY_BYTES }
      : { kind: "v2", transition, changes, context: EMPTY_BYTES };
  env.node(id).raw.proposeConfChange(change);
}

function isConfChangeKey(key: string): boolean {
  return key === "v1" || key === "transition";
}

function parseTransition(name: string): ConfChangeTransition {
  if (name === "auto") return "ConfChangeTransitionAuto";
  if (name === "implicit") return "ConfChangeTransitionJointImplicit";
  if (name === "explicit") return "ConfChangeTransitionJointExplicit";
  throw new Refusal(`unknown transition ${name}`);
}

function printLog(env: Environment, id: number): void {
  const { storage } = env.node(id);
  const [first, last] = [storage.firstIndex(), storage.lastIndex()];
  const entries = last < first ? "unavailable" : storage.entries(first, last + 1, Infinity);
  env.output.write(
    typeof entries === "string"
      ? `log is empty: first index=${first}, last index=${last}`
      : describeEntries(entries),
  );
}

function printStates(env: Environment): void {
  for (const { raw } of env.nodes) {
    const { id, raftState, term, lead, config } = raw.status();
    const role = jointIds(config.voters).has(id) ? "(Voter)" : "(Non-Voter)";
    env.output.write(`${id}: ${raftState} ${role} Term:${term} Lead:${lead}\n`);
  }
}

function printStatus(env: Environment, directive: Directive): void {
  for (const [id, { text }] of firstNode(env, directive).raw.status().progress)
    env.output.write(`${id}: ${text}\n`);
}

function reportUnreachable(env: Environment, { args }: Directive): void {
  const [reporter, unreachable, ...rest] = nodeIds(args);
  if (reporter === undefined || unreachable === undefined || rest.length > 0) {
    throw new Refusal("must specify exactly two node indexes: node on which to report, and reported node");
  }
  env.node(reporter).raw.reportUnreachable(env.node(unreachable).id);
}

function sendSnapshot(env: Environment, { args }: Directive): void {
  const [from, to, ...rest] = nodeIds(args);
  if (from === undefined || to === undefined || rest.length > 0) {
    throw new Error("send-snapshot takes two nodes, from and to");
  }
  const { raw, storage } = env.node(from);
  const m = message({ type: "MsgSnap", from, to, term: raw.status().term, snapshot: storage.snapshot() });
  env.post(m);
  env.output.write(describeMessage(m));
}

function setElectionTimeout(env: Environment, directive: Directive): void {
  const ticks = parseUnsigned(soleValue(directive.args, "timeout"));
  if (ticks === 0) throw new Error("timeout must be a number of ticks above 0");
  firstNode(env, directive).raw.setRandomizedElectionTicks(ticks);
}

function stabilize(env: Environment, { args }: Directive): void {
  const ids = nodeIds(args);
  const before = env.output.level;
  try {
    for (const level of valuesOf(args, "log-level")) env.output.level = parseLevel(level);
    env.stabilize(ids.length > 0 ? ids : env.nodes.map(({ id }) => id));
  } finally {
    env.output.level = before;
  }
}

function tick(env: Environment, directive: Directive, ticks: number): void {
  if (ticks > TICKS_MAX) throw new Error(`a directive may ask for at most ${TICKS_MAX} ticks`);
  const { raw } = firstNode(env, directive);
  for (let done = 0; done < ticks; done += 1) raw.tick();
}

function transferLeadership(env: Environment, { args }: Directive): void {
  const named = (key: string): ScriptedNode => env.node(parseUnsigned(soleValue(args, key)));
  named("from").raw.transferLeader(named("to").id);
}

function eachNode(title: string, work: (env: Environment, id: number) => void): Command {
  return (env, { args }) => {
    const ids = nodeIds(args);
    for (const id of ids) {
      if (ids.length > 1) {
        env.output.write(`> ${id} ${title}\n`);
        env.output.indented(() => work(env, id));
      } else {
        work(env, id);
      }
    }
  };
}

function firstNode(env: Environment, { args }: Directive): ScriptedNode {
  return env.node(parseUnsigned(word(args, 0)));
}
