import { join } from "node:path";
import type { NodeFacts } from "../../scheduler/model/node.ts";
import type { Fence } from "../../scheduler/model/job.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import { jobId } from "../../scheduler/model/ids.ts";
import { parseAttempt, parseJobSpec } from "../../scheduler/model/schemas.ts";
import type { NodePaths } from "../../scheduler/launch/launch.ts";
import type { FromLeader__Output } from "../../proto/gen/gpumesh/v1/FromLeader.ts";
import type { PartStatus } from "../../proto/gen/gpumesh/v1/PartStatus.ts";
import type { PrepareOrder__Output } from "../../proto/gen/gpumesh/v1/PrepareOrder.ts";
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

/** Stopped attempts named in a hello; older ones were settled long ago. */
const HELLO_STOPPED_MAX = 1_000;
const STOP_RETRY_MS = 1_000;
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
  }

  leader(): KnownLeader | null {
    return this.#link.leader();
  }

  /** The part of that attempt, for its remote shell and its logs. */
  part(job: JobId, attemptNumber: number): Part | undefined {
    return this.#parts.get(attemptKey(job, attemptNumber));
  }

  async #adopt(): Promise<void> {
    const found = new Map((await this.#options.executor.list()).map((part) => [part.part.id, part]));
    for (const entry of this.#ledger.entries()) {
      if (entry.kind === "tombstone") continue;
      const part = this.#add(entry);
      const running = found.get(entryKey(entry));
      if (entry.kind !== "started") continue;
      found.delete(entryKey(entry));
      await part.adopt(
        running?.commands.filter((it) => it.state.kind !== "not-started").map((it) => it.name) ?? [],
      );
      this.#waitingForLease.add(part);
    }
    for (const orphan of found.values()) if (!orphan.ended) await this.#endOrphan(orphan);
  }

  /** Nothing may run that the ledger does not say was started: its report was final, or it never had one. */
  async #endOrphan(orphan: FoundPart): Promise<void> {
    this.#options.log(`ending attempt ${orphan.part.id}, which the ledger does not hold as started`);
    const end = await this.#options.executor.endPart(orphan.part, ORPHAN_GRACE_MS);
    if (end.kind === "left")
      this.#options.log(`attempt ${orphan.part.id} does not die; look at its processes`);
  }

  #add(entry: AssignedEntry): Part {
    const key = entryKey(entry);
    const context: PartContext = {
      executor: this.#options.executor,
      ledger: this.#ledger,
      jobsDir: join(this.#options.dataDir, "jobs"),
      paths: this.#options.paths,
      deadlineMs: () => this.#lease.deadlineMs(),
      onReport: () => this.#report(key),
      log: this.#options.log,
    };
    const part = new Part(context, entry);
    this.#parts.set(key, part);
    return part;
  }

  /** Orders are taken one after the other, so that a leader's term is judged before the next order is looked at. */
  #enqueue(message: FromLeader__Output): void {
    this.#orders = this.#orders
      .then(() => this.#obey(message))
      .catch((error: unknown) => this.#options.log(`an order was not carried out: ${String(error)}`));
  }

  async #obey(message: FromLeader__Output): Promise<void> {
    const order = message.prepare ?? message.start ?? message.stop;
    if (!order || this.#stopped) return;
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

  async #prepare(order: PrepareOrder__Output): Promise<void> {
    const spec = parseJobSpec(order.specJson);
    const attempt = parseAttempt(order.attemptJson);
    if (spec.kind === "malformed")
      throw new Error(`job ${order.jobId}: its spec does not parse: ${spec.reason}`);
    if (attempt.kind === "malformed")
      throw new Error(`job ${order.jobId}: its attempt does not parse: ${attempt.reason}`);
    const job = jobId(order.jobId);
    const key = attemptKey(job, attempt.value.number);
    const known = this.#ledger.get(key);
    if (known !== undefined) {
      this.#report(key);
      const part = this.#parts.get(key);
      if (known.kind === "assigned" && part !== undefined) this.#background(part.prepare());
      return;
    }
    if (this.#ledger.newestAttempt(job) > attempt.value.number) {
      return this.#bury(job, attempt.value.number, attempt.value.fence);
    }
    const partIndex = attempt.value.parts.findIndex((part) => part.node === this.#options.self);
    if (partIndex < 0) throw new Error(`attempt ${key} has no part for this node`);
    const entry: AssignedEntry = {
      kind: "assigned",
      job,
      spec: spec.value,
      attempt: attempt.value,
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
        this.#options.log(
          `start of ${entryKey(part.entry)}: ${String(error)}; it is tried again with the lease`,
        );
        if (part.entry.kind === "started") this.#waitingForLease.add(part);
      });
    }
  }

  async #stop(order: StopOrder__Output): Promise<void> {
    const job = jobId(order.jobId);
    const key = attemptKey(job, order.attempt);
    const part = this.#parts.get(key);
    if (part === undefined) {
      if (order.fence === null) throw new Error(`the order to stop ${key} has no fence`);
      return this.#bury(job, order.attempt, order.fence);
    }
    this.#waitingForLease.delete(part);
    if (part.entry.kind === "stopped") this.#report(key);
    else this.#endPart(part, order.graceMs);
  }

  /** Goes on until the part is proven gone: nothing is reported before. */
  #endPart(part: Part, graceMs: number): void {
    part.stop(graceMs).catch((error: unknown) => {
      this.#options.log(String(error));
      setTimeout(() => {
        if (!this.#stopped) this.#endPart(part, 0);
      }, STOP_RETRY_MS).unref();
    });
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
    this.#startWaiting();
  }

  #report(key: string): void {
    const status = this.#status(this.#ledger.get(key));
    if (status !== null) this.#link.report(status);
  }

  #statuses(): readonly PartStatus[] {
    const entries = this.#ledger.entries();
    const over = entries.filter((entry) => entry.kind === "stopped" || entry.kind === "tombstone");
    const forgotten = new Set(over.slice(0, Math.max(0, over.length - HELLO_STOPPED_MAX)));
    return entries.filter((entry) => !forgotten.has(entry)).flatMap((entry) => this.#status(entry) ?? []);
  }

  #status(entry: LedgerEntry | undefined): PartStatus | null {
    if (entry === undefined) return null;
    if (entry.kind === "tombstone") {
      const reportJson = JSON.stringify({ kind: "stopped", exits: [] });
      return { jobId: entry.job, attempt: entry.attemptNumber, fence: entry.fence, reportJson };
    }
    const report = this.#parts.get(entryKey(entry))?.report() ?? null;
    return {
      jobId: entry.job,
      attempt: entry.attempt.number,
      fence: entry.attempt.fence,
      reportJson: report === null ? "" : JSON.stringify(report),
    };
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.log(String(error)));
  }
}

function sameFence(ours: Fence, theirs: Fence | null): boolean {
  return theirs !== null && ours.epoch === theirs.epoch && ours.index === theirs.index;
}
