import { parseConfChanges } from "../../daemon/raft/core/conf-change/parse.ts";
import {
  EMPTY_BYTES,
  RaftError,
  describeEntries,
  describeMessage,
  message,
} from "../../daemon/raft/core/core.ts";
import type { ConfChange, ConfChangeTransition, MessageType, Snapshot } from "../../daemon/raft/core/core.ts";
import { jointIds } from "../../daemon/raft/core/quorum/joint.ts";
import { parseDirective } from "./datadriven.ts";
import type { Argument, Directive, Stanza } from "./datadriven.ts";
import type { Environment, Recipient } from "./environment.ts";
import { parseLevel } from "./output.ts";

type Command = (env: Environment, directive: Directive) => void;

/** The directives of interaction scripts. Each prints into the environment's output, or throws a refusal. */
const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["_breakpoint", () => undefined],
  ["add-nodes", addNodes],
  ["campaign", (env, directive) => firstNode(env, directive).raw.campaign()],
  ["compact", compact],
  ["deliver-msgs", deliverMessages],
  ["forget-leader", (env, directive) => firstNode(env, directive).raw.forgetLeader()],
  ["log-level", (env, { args }) => void (env.output.level = parseLevel(args[0]?.key ?? ""))],
  ["process-append-thread", eachNode("processing append thread", (env, id) => env.processAppendWork(id))],
  ["process-apply-thread", eachNode("processing apply thread", (env, id) => env.processApplyWork(id))],
  ["process-ready", eachNode("handling Ready", (env, id) => env.processReady(id))],
  ["propose", propose],
  ["raft-log", (env, directive) => printLog(env, firstId(directive))],
  ["raft-state", printStates],
  ["report-unreachable", reportUnreachable],
  ["send-snapshot", sendSnapshot],
  ["set-randomized-election-timeout", setElectionTimeout],
  ["stabilize", stabilize],
  ["status", printStatus],
  ["tick-election", (env, directive) => tick(env, directive, "electionTick")],
  ["tick-heartbeat", (env, directive) => tick(env, directive, "heartbeatTick")],
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
    const further = input.split("\n").filter((line) => line !== "");
    refusal = refusalOf(() => runDirective(env, stanza));
    while (refusal === "" && further.length > 0) {
      const next = parseDirective(further.shift() ?? "");
      const text = refusalOf(() => runDirective(env, next));
      if (env.output.isQuiet) refusal = text;
      else env.output.write(text);
    }
  }
  const printed = env.output.take() + refusal;
  return printed === "" ? "ok" : printed;
}

function runDirective(env: Environment, directive: Directive): void {
  const command = COMMANDS.get(directive.command);
  if (command === undefined) throw new RaftError("config-invalid", "unknown command");
  command(env, directive);
}

/** The text of a refusal that the work ends with, or nothing. */
function refusalOf(work: () => void): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof RaftError)) throw error;
    return error.message;
  }
  return "";
}

function addNodes(env: Environment, { args }: Directive): void {
  const list = (key: string): readonly number[] => (argument(args, key)?.values ?? []).map(Number);
  const text = (key: string): string => argument(args, key)?.values[0] ?? "";
  const flag = (key: string): boolean => text(key) === "true";
  const number = (key: string, otherwise: number): number =>
    argument(args, key) ? Number(text(key)) : otherwise;
  const index = number("index", 0);
  const voters = list("voters");
  const learners = list("learners");
  const isBootstrapped = index > 0 || voters.length > 0 || learners.length > 0 || text("content") !== "";
  if (isBootstrapped && index <= 1) {
    throw new RaftError("config-invalid", "index must be specified as > 1 due to bootstrap");
  }
  const snapshot: Snapshot = {
    data: new TextEncoder().encode(text("content")),
    metadata: {
      index,
      term: isBootstrapped ? 1 : 0,
      confState: { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false },
    },
  };
  for (let added = 0; added < firstId({ args }); added += 1) {
    env.addNode(
      {
        electionTick: 3,
        heartbeatTick: 1,
        applied: index,
        maxSizePerMsg: Infinity,
        maxInflightMsgs: number("inflight", 2 ** 31 - 1),
        maxCommittedSizePerReady: number("max-committed-size-per-ready", Infinity),
        asyncStorageWrites: flag("async-storage-writes"),
        checkQuorum: flag("checkquorum"),
        preVote: flag("prevote"),
        disableConfChangeValidation: flag("disable-conf-change-validation"),
        stepDownOnRemoval: flag("step-down-on-removal"),
        callerReadsUnderLease: text("read-only") === "lease-based",
      },
      snapshot,
    );
  }
}

function compact(env: Environment, directive: Directive): void {
  const node = firstNode(env, directive);
  node.storage.compact(Number(directive.args[1]?.key));
  printLog(env, node.id);
}

function deliverMessages(env: Environment, { args }: Directive): void {
  const type = argument(args, "type")?.values[0];
  const recipients = args.flatMap(({ key, values }): Recipient[] => {
    if (values.length === 0) return [{ id: Number(key), drop: false }];
    return key === "drop" ? values.map((id) => ({ id: Number(id), drop: true })) : [];
  });
  if (new Set(recipients.map(({ id }) => id)).size < recipients.length) {
    throw new Error("a node can be named only once, to be delivered to or to be dropped");
  }
  // A type that does not exist matches no message, which the script then sees.
  if (env.deliver(recipients, type as MessageType | undefined) === 0) env.output.write("no messages\n");
}

function propose(env: Environment, directive: Directive): void {
  const [, data] = directive.args;
  if (data === undefined || data.values.length > 0)
    throw new Error("propose takes a node and a word to propose");
  firstNode(env, directive).raw.propose(new TextEncoder().encode(data.key));
}

function proposeConfChange(env: Environment, directive: Directive, input: string): void {
  const isV1 = argument(directive.args, "v1")?.values[0] === "true";
  const transition = parseTransition(argument(directive.args, "transition")?.values[0] ?? "auto");
  const changes = parseConfChanges(input);
  const [only] = changes;
  if (isV1 && (only === undefined || changes.length > 1 || transition !== "ConfChangeTransitionAuto")) {
    throw new RaftError(
      "conf-change-invalid",
      "v1 conf change can only have one operation and no transition",
    );
  }
  const change: ConfChange =
    isV1 && only !== undefined
      ? { kind: "v1", ...only, context: EMPTY_BYTES }
      : { kind: "v2", transition, changes, context: EMPTY_BYTES };
  firstNode(env, directive).raw.proposeConfChange(change);
}

function parseTransition(name: string): ConfChangeTransition {
  if (name === "auto") return "ConfChangeTransitionAuto";
  if (name === "implicit") return "ConfChangeTransitionJointImplicit";
  if (name === "explicit") return "ConfChangeTransitionJointExplicit";
  throw new RaftError("conf-change-invalid", `unknown transition ${name}`);
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
  const [reporter, unreachable] = twoNodes(args);
  env.node(reporter).raw.reportUnreachable(unreachable);
}

function sendSnapshot(env: Environment, { args }: Directive): void {
  const [from, to] = twoNodes(args);
  const { raw, storage } = env.node(from);
  const m = message({ type: "MsgSnap", from, to, term: raw.status().term, snapshot: storage.snapshot() });
  env.post(m);
  env.output.write(describeMessage(m));
}

function setElectionTimeout(env: Environment, directive: Directive): void {
  const ticks = Number(argument(directive.args, "timeout")?.values[0]);
  if (!(ticks > 0)) throw new Error("timeout must be a number of ticks above 0");
  firstNode(env, directive).raw.setRandomizedElectionTicks(ticks);
}

function stabilize(env: Environment, { args }: Directive): void {
  const ids = nodeIds(args);
  const level = argument(args, "log-level")?.values[0];
  const before = env.output.level;
  if (level !== undefined) env.output.level = parseLevel(level);
  try {
    env.stabilize(ids.length > 0 ? ids : env.nodes.map(({ id }) => id));
  } finally {
    env.output.level = before;
  }
}

function tick(env: Environment, directive: Directive, period: "electionTick" | "heartbeatTick"): void {
  const { raw, config } = firstNode(env, directive);
  for (let ticks = 0; ticks < config[period]; ticks += 1) raw.tick();
}

function transferLeadership(env: Environment, { args }: Directive): void {
  const id = (key: string): number => Number(argument(args, key)?.values[0]);
  env.node(id("from")).raw.transferLeader(id("to"));
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

function argument(args: readonly Argument[], key: string): Argument | undefined {
  return args.find((arg) => arg.key === key);
}

function nodeIds(args: readonly Argument[]): readonly number[] {
  return args.filter(({ values }) => values.length === 0).map(({ key }) => Number(key));
}

function firstId({ args }: Pick<Directive, "args">): number {
  return Number(args[0]?.key);
}

function firstNode(env: Environment, directive: Directive): ReturnType<Environment["node"]> {
  return env.node(firstId(directive));
}

function twoNodes(args: readonly Argument[]): readonly [number, number] {
  const [from, to, ...rest] = nodeIds(args);
  if (from === undefined || to === undefined || rest.length > 0) {
    throw new RaftError("config-invalid", "must specify exactly two node indexes: from, to");
  }
  return [from, to];
}
