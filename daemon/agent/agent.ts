import { join } from "node:path";
import type { NodeFacts } from "../../scheduler/model/node.ts";
import type { PartReport } from "../../scheduler/model/command.ts";
import type { Attempt, Fence } from "../../scheduler/model/job.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import { jobId } from "../../scheduler/model/ids.ts";
import { parseAttempt, parseJobSpec } from "../../scheduler/model/schemas.ts";
import type { NodePaths } from "../../scheduler/launch/launch.ts";
import type { FromLeader__Output } from "../../proto/gen/gpumesh/v1/FromLeader.ts";
import type { PartStatus } from "../../proto/gen/gpumesh/v1/PartStatus.ts";
import type { PrepareOrder__Output } from "../../proto/gen/gpumesh/v1/PrepareOrder.ts";
import type { ReportSettled__Output } from "../../proto/gen/gpumesh/v1/ReportSettled.ts";
import type { StopOrder__Output } from "../../proto/gen/gpumesh/v1/StopOrder.ts";
import type { Executor, FoundPart } from "../executor/executor.ts";
import type { Directory } from "../mesh/directory.ts";
import type { Peers } from "../mesh/peers.ts";
import type { AssignedEntry, LedgerEntry } from "./ledger.ts";
import { attemptKey, entryKey, Ledger } from "./ledger.ts";
import { Lease } from "./lease.ts";
import type { KnownLeader } from "./link.ts";
import { Link } from "./link.ts";
import type { PartContext } from "./part.ts";
import { Part } from "./part.ts";

/** Characters of reports on stopped attempts in a hello, the newest; after others the leader asks. */
const HELLO_STOPPED_LENGTH_MAX = 131_072;
const RETRY_MS = 1_000;
const ORPHAN_GRACE_MS = 1_000;

export interface AgentOptions {
  readonly self: string;
  readonly dataDir: string;
  readonly executor: Executor;
  readonly peers: Peers;
  readonly directory: Directory;
  readonly facts: () => NodeFacts;
  readonly paths: Omit<NodePaths, "attemptDir">;
  readonly bootClockMs: () => number;
  /** The mesh goes on without this daemon, for the reason given: it must end. */
  readonly onLeftBehind: (reason: string) => void;
  readonly log: (line: string) => void;
}

/**
 * The worker half of a daemon: carries out the leader's orders on this node and reports what came of them. It takes
 * orders from the ledger and the leader only, and never looks at the replicated state.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #ledger: Ledger;
  readonly #lease = new Lease();
  readonly #link: Link;
  /** Attempts that are not stopped. */
  readonly #parts = new Map<string, Part>();
  readonly #waitingForLease = new Set<Part>();
  #orders: Promise<void> = Promise.resolve();
  #stopped = false;

  private constructor(options: AgentOptions, ledger: Ledger) {
    this.#options = options;
    this.#ledger = ledger;
    this.#link = new Link({
      self: options.self,
      peers: options.peers,
      directory: options.directory,
      lease: this.#lease,
      facts: options.facts,
      statuses: () => this.#statuses(),
      bootClockMs: options.bootClockMs,
      onOrder: (message) => this.#enqueue(message),
      onLeftBehind: options.onLeftBehind,
      onLease: () => this.#leaseMoved(),
      log: options.log,
    });
  }

  /** Opens the ledger, adopts what an earlier daemon left running, ends what the ledger does not know. */
  static async open(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options, await Ledger.open(join(options.dataDir, "ledger")));
    await agent.#adopt();
    return agent;
  }

  /** Begins to talk to the leader. */
  start(): void {
    this.#link.start();
  }

  /** Hangs up. Running commands are left as they are, under their shims. */
  stop(): void {
    this.#stopped = true;
    this.#link.stop();
    for (const part of this.#parts.values()) part.leave();
  }

  leader(): KnownLeader | null {
    return this.#link.leader();
  }

  /** The part of that attempt, stopped or not, for its remote shell and its logs. */
  part(job: JobId, attemptNumber: number): Part | undefined {
    const key = attemptKey(job, attemptNumber);
    const entry = this.#ledger.get(key);
    if (entry === undefined || entry.kind === "tombstone") return undefined;
    return this.#parts.get(key) ?? new Part(this.#context(key), entry);
  }

  /**
   * Goes on where an earlier daemon ended. A part that it had begun to end is ended; so is one whose records are gone,
   * for nobody can say any more what of it runs.
   */
  async #adopt(): Promise<void> {
    const found = new Map((await this.#options.executor.list()).map((part) => [part.part.id, part]));
    for (const entry of this.#ledger.entries()) {
      if (entry.kind === "tombstone" || entry.kind === "stopped") continue;
      const part = this.#add(entry);
      const there = found.get(entryKey(entry));
      found.delete(entryKey(entry));
      const commands = there?.commands.filter((command) => command.state.kind !== "not-started") ?? [];
      part.adopt(commands.map(({ name }) => name));
      if (there?.ended === true || (there === undefined && entry.kind === "started")) this.#endPart(part, 0);
      else if (entry.kind === "started") this.#waitingForLease.add(part);
      else this.#background(part.prepare());
    }
    await Promise.all([...found.values()].map((left) => this.#clear(left)));
  }

  /** Nothing may run that the ledger does not hold: its report was final, or it never had one. */
  async #clear({ part, ended }: FoundPart): Promise<void> {
    const { executor, log } = this.#options;
    const forget = (): Promise<boolean> =>
      executor.forgetPart(part).then(
        () => true,
        () => false,
      );
    // What was proven gone when it was stopped needs no look at the machine's processes, and there may be thousands.
    if (ended && (await forget())) return;
    log(`ending attempt ${part.id}, which the ledger does not hold as started`);
    const end = await executor.endPart(part, ORPHAN_GRACE_MS);
    if (end.kind === "left" || !(await forget()))
      log(`attempt ${part.id} does not die; look at its processes`);
  }

  #add(entry: AssignedEntry): Part {
    const key = entryKey(entry);
    const part = new Part(this.#context(key), entry);
    this.#parts.set(key, part);
    return part;
  }

  #context(key: string): PartContext {
    return {
      executor: this.#options.executor,
      ledger: this.#ledger,
      jobsDir: join(this.#options.dataDir, "jobs"),
      paths: this.#options.paths,
      deadlineMs: () => this.#lease.deadlineMs(),
      onReport: () => this.#report(key),
      log: this.#options.log,
    };
  }

  /**
   * Orders are taken one after the other, so that a leader's term is judged before the next order is looked at. One that
   * could not be carried out is tried again, for the leader sends it only once on a line.
   */
  #enqueue(message: FromLeader__Output): void {
    this.#orders = this.#orders
      .then(() => this.#obey(message))
      .catch((error: unknown) => {
        this.#options.log(`an order was not carried out and is tried again: ${String(error)}`);
        this.#later(() => this.#enqueue(message));
      });
  }

  async #obey(message: FromLeader__Output): Promise<void> {
    if (this.#stopped) return;
    if (message.settled) return this.#settled(message.settled);
    const order = message.prepare ?? message.start ?? message.stop;
    if (!order) return;
    if (!(await this.#ledger.acceptTerm(order.term))) {
      this.#options.log(
        `refused an order of term ${order.term}: term ${this.#ledger.highestTerm()} was seen`,
      );
    } else if (message.prepare) {
      await this.#prepare(message.prepare);
    } else if (message.start) {
      const part = this.#parts.get(attemptKey(jobId(message.start.jobId), message.start.attempt));
      if (part !== undefined && sameFence(part.entry.attempt.fence, message.start.fence)) this.#start(part);
    } else if (message.stop) {
      await this.#stop(message.stop);
    }
  }

  /** The leader took the refusal, so the gang is released and no order will ever come for this part. */
  #settled({ jobId: job, attempt, kind }: ReportSettled__Output): void {
    const part = this.#parts.get(attemptKey(jobId(job), attempt));
    if (kind === "refused" && part?.report()?.kind === "refused") this.#endPart(part, 0);
  }

  async #prepare(order: PrepareOrder__Output): Promise<void> {
    const parsed = parseAttempt(order.attemptJson);
    if (parsed.kind === "malformed") {
      this.#options.log(`job ${order.jobId}: its attempt does not parse: ${parsed.reason}`);
      return;
    }
    const attempt = parsed.value;
    const job = jobId(order.jobId);
    const key = attemptKey(job, attempt.number);
    const known = this.#ledger.get(key);
    if (known !== undefined) {
      this.#report(key);
      const part = this.#parts.get(key);
      if (part !== undefined) this.#background(part.prepare());
      return;
    }
    if (this.#ledger.newestAttempt(job) > attempt.number) {
      return this.#bury(job, attempt.number, attempt.fence);
    }
    const spec = parseJobSpec(order.specJson);
    const partIndex = attempt.parts.findIndex((part) => part.node === this.#options.self);
    if (spec.kind === "malformed" || partIndex < 0) {
      const why =
        spec.kind === "malformed" ? `its spec does not parse: ${spec.reason}` : "it has no part here";
      const report = { kind: "refused", reason: why } as const;
      this.#link.report({ kind: "refused", status: statusOf(job, attempt, report) });
      return;
    }
    const entry: AssignedEntry = {
      kind: "assigned",
      job,
      spec: spec.value,
      attempt,
      partIndex,
      exits: [],
    };
    await this.#ledger.write(entry);
    this.#background(this.#add(entry).prepare());
  }

  #start(part: Part): void {
    this.#waitingForLease.add(part);
    this.#startWaiting();
  }

  #startWaiting(): void {
    if (this.#lease.deadlineMs() <= this.#options.bootClockMs()) return;
    for (const part of this.#waitingForLease) {
      this.#waitingForLease.delete(part);
      part.start().catch((error: unknown) => {
        const name = entryKey(part.entry);
        this.#options.log(`start of ${name}: ${String(error)}; it is tried again with the next renewal`);
        if (!part.isEnding) this.#waitingForLease.add(part);
      });
    }
  }

  async #stop(order: StopOrder__Output): Promise<void> {
    const job = jobId(order.jobId);
    const part = this.#parts.get(attemptKey(job, order.attempt));
    if (part !== undefined) {
      this.#waitingForLease.delete(part);
      if (!part.isEnding) this.#endPart(part, order.graceMs);
    } else if (order.fence !== null) {
      await this.#bury(job, order.attempt, order.fence);
    }
  }

  /** Goes on until the part is proven gone: nothing is reported before. */
  #endPart(part: Part, graceMs: number): void {
    part.stop(graceMs).then(
      () => this.#parts.delete(entryKey(part.entry)),
      (error: unknown) => {
        this.#options.log(String(error));
        this.#later(() => this.#endPart(part, 0));
      },
    );
  }

  async #bury(job: JobId, attemptNumber: number, fence: Fence): Promise<void> {
    const key = attemptKey(job, attemptNumber);
    if (this.#ledger.get(key) === undefined)
      await this.#ledger.write({ kind: "tombstone", job, attemptNumber, fence });
    this.#report(key);
  }

  #leaseMoved(): void {
    const deadline = this.#lease.deadlineMs();
    for (const part of this.#parts.values()) {
      if (part.entry.kind === "started") this.#background(part.extendDeadline(deadline));
    }
    // After the orders that came before the renewal was accepted: a new session's lease must not start what its leader
    // has just told us to stop.
    if (this.#waitingForLease.size > 0) this.#orders = this.#orders.then(() => this.#startWaiting());
  }

  /** Nothing is sent of a part that has nothing to say yet. */
  #report(key: string): void {
    const entry = this.#ledger.get(key);
    const report = entry === undefined ? null : this.#reportOf(entry);
    if (entry === undefined || report === null) return;
    this.#link.report({ kind: report.kind, status: this.#status(entry) });
  }

  #statuses(): readonly PartStatus[] {
    let room = HELLO_STOPPED_LENGTH_MAX;
    const newestFirst = this.#ledger.entries().toReversed();
    return newestFirst.flatMap((entry) => {
      const isOver = entry.kind === "tombstone" || entry.kind === "stopped";
      if (isOver && room <= 0) return [];
      const status = this.#status(entry);
      if (isOver) room -= status.reportJson.length;
      return isOver && room < 0 ? [] : status;
    });
  }

  #status(entry: LedgerEntry): SentStatus {
    const attempt = entry.kind === "tombstone" ? { ...entry, number: entry.attemptNumber } : entry.attempt;
    return statusOf(entry.job, attempt, this.#reportOf(entry));
  }

  #reportOf(entry: LedgerEntry): PartReport | null {
    switch (entry.kind) {
      case "tombstone":
        return { kind: "stopped", exits: [] };
      case "stopped":
        return { kind: "stopped", exits: entry.exits };
      case "assigned":
      case "started":
        return this.#parts.get(entryKey(entry))?.report() ?? null;
    }
  }

  #later(call: () => void): void {
    setTimeout(() => {
      if (!this.#stopped) call();
    }, RETRY_MS).unref();
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.log(String(error)));
  }
}

type SentStatus = PartStatus & { readonly reportJson: string };

function statusOf(
  job: JobId,
  { number, fence }: Pick<Attempt, "number" | "fence">,
  report: PartReport | null,
): SentStatus {
  return { jobId: job, attempt: number, fence, reportJson: report === null ? "" : JSON.stringify(report) };
}

function sameFence(ours: Fence, theirs: Fence | null): boolean {
  return theirs !== null && ours.epoch === theirs.epoch && ours.index === theirs.index;
}
