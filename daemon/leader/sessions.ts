import type { ServerDuplexStream } from "@grpc/grpc-js";
import { jobId, nodeId } from "../../scheduler/model/ids.ts";
import type { NodeId, Session } from "../../scheduler/model/ids.ts";
import { activeAttempt } from "../../scheduler/model/job.ts";
import { parseNodeFacts, parsePartReport } from "../../scheduler/model/schemas.ts";
import type { FromAgent__Output } from "../../proto/gen/gpumesh/v1/FromAgent.ts";
import type { FromLeader } from "../../proto/gen/gpumesh/v1/FromLeader.ts";
import type { Hello__Output } from "../../proto/gen/gpumesh/v1/Hello.ts";
import type { PartStatus__Output } from "../../proto/gen/gpumesh/v1/PartStatus.ts";
import type { Directory } from "../mesh/directory.ts";
import { directoryMessage } from "../mesh/directory-wire.ts";
import type { Store } from "../store/store.ts";
import type { Leases } from "./leases.ts";
import { isNews, ordersFor } from "./orders.ts";
import { LEASE_MS, STOP_GRACE_MS } from "./timing.ts";

export type SessionStream = ServerDuplexStream<FromAgent__Output, FromLeader>;

export interface SessionsOptions {
  readonly store: Store;
  readonly directory: Directory;
  readonly leases: Leases;
  readonly term: number;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

interface Line {
  readonly node: NodeId;
  readonly stream: SessionStream;
  readonly session: Session;
  /** Orders already sent on this line. */
  readonly sent: Set<string>;
}

/** The lines of all daemons to this leader, for one term of its leadership. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #lines = new Map<NodeId, Line>();
  readonly #stops: (() => void)[] = [];
  #stopped = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stops.push(this.#options.store.watch(() => this.#dispatchAll()));
    this.#stops.push(this.#options.directory.onChange(() => this.#sendDirectory()));
  }

  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    for (const line of this.#lines.values()) line.stream.end();
    this.#lines.clear();
  }

  /** Takes a daemon's call; `name` is the one in its certificate. */
  accept(stream: SessionStream, name: string): void {
    let line: Line | null = null;
    let greeted = false;
    const drop = (): void => {
      if (line !== null && this.#lines.get(line.node) === line) this.#lines.delete(line.node);
    };
    stream.on("data", (message: FromAgent__Output) => {
      if (message.hello && !greeted) {
        greeted = true;
        this.#greet(stream, name, message.hello).then(
          (opened) => (line = opened),
          (error: unknown) => this.#refuse(stream, name, error),
        );
      } else if (message.renewal && line !== null) {
        const { node, session } = line;
        const { sequence } = message.renewal;
        this.#options.leases.renewed(node, session, () => stream.write({ renewalAccepted: { sequence } }));
      } else if (message.report && line !== null) {
        this.#report(line, message.report);
      }
    });
    stream.on("end", () => {
      drop();
      stream.end();
    });
    stream.on("error", drop);
    stream.on("cancelled", drop);
  }

  async #greet(stream: SessionStream, name: string, hello: Hello__Output): Promise<Line> {
    const { store, directory, term } = this.#options;
    const facts = parseNodeFacts(hello.factsJson);
    if (facts.kind === "malformed") throw new Error(`its facts do not parse: ${facts.reason}`);
    if (facts.value.id !== name) throw new Error(`it calls itself ${facts.value.id}`);
    const result = await store.propose({ kind: "registerNode", at: this.#options.now(), facts: facts.value });
    if (result.kind !== "node")
      throw new Error(result.kind === "refused" ? result.reason : `unexpected result ${result.kind}`);
    if (this.#stopped) throw new Error("the leadership ended");
    const line: Line = { node: nodeId(name), stream, session: result.session, sent: new Set() };
    this.#lines.get(line.node)?.stream.end();
    this.#lines.set(line.node, line);
    stream.write({ welcome: { session: result.session, term, leaseMs: LEASE_MS } });
    stream.write({ directory: directoryMessage(directory.meshId, directory.members()) });
    for (const status of hello.parts) this.#report(line, status);
    this.#stopForgotten(line, hello);
    this.#dispatch(line);
    return line;
  }

  /** A part that had begun and that the daemon's ledger no longer holds: its data folder is not the one it had. */
  #stopForgotten(line: Line, hello: Hello__Output): void {
    const held = new Set(hello.parts.map((part) => `${part.jobId}.${part.attempt}`));
    for (const allocation of this.#options.store.view().allocationsOf(line.node)) {
      const job = this.#options.store.view().jobs.get(allocation.job);
      const attempt = job === undefined ? null : activeAttempt(job);
      const part = attempt?.parts.find((candidate) => candidate.node === line.node);
      if (job === undefined || attempt === null || part === undefined) continue;
      if (part.progress.kind === "assigned" || held.has(`${job.id}.${attempt.number}`)) continue;
      this.#sendStop(line, job.id, attempt.number, attempt.fence);
    }
  }

  #report(line: Line, status: PartStatus__Output): void {
    const { store } = this.#options;
    const job = jobId(status.jobId);
    const { fence } = status;
    if (fence === null) return;
    const record = store.view().jobs.get(job);
    const attempt = record === undefined ? null : activeAttempt(record);
    const part = attempt?.parts.find((candidate) => candidate.node === line.node);
    const current =
      attempt !== null &&
      attempt.number === status.attempt &&
      attempt.fence.index === fence.index &&
      attempt.fence.epoch === fence.epoch &&
      part?.session === line.session;
    const report = status.reportJson === "" ? null : parsePartReport(status.reportJson);
    if (report?.kind === "malformed") {
      this.#options.log(`node ${line.node}: a report on job ${job} does not parse: ${report.reason}`);
    } else if (!current) {
      if (report?.value.kind === "stopped") this.#settle(line, status, "stopped");
      // A fence above what is applied here means that this mesh lost data: such an attempt is not touched.
      else if (fence.index <= store.view().version) this.#sendStop(line, job, status.attempt, fence);
      else
        this.#options.log(`node ${line.node} runs ${job}.${status.attempt}, which this mesh does not know`);
    } else if (report !== null && part !== undefined && isNews(part.progress, report.value)) {
      const command = {
        kind: "reportPart",
        at: this.#options.now(),
        job,
        attempt: status.attempt,
        fence,
        node: line.node,
        report: report.value,
      } as const;
      store.propose(command).then(
        () => this.#settle(line, status, report.value.kind),
        (error: unknown) => this.#options.log(`a report of ${line.node} was not committed: ${String(error)}`),
      );
    }
  }

  #settle(line: Line, status: PartStatus__Output, kind: string): void {
    const { jobId: job, attempt, fence } = status;
    line.stream.write({ settled: { jobId: job, attempt, fence, kind } });
  }

  #sendStop(line: Line, job: number, attempt: number, fence: { epoch: number; index: number }): void {
    const { term } = this.#options;
    line.stream.write({ stop: { term, jobId: job, attempt, fence, graceMs: STOP_GRACE_MS } });
  }

  #dispatchAll(): void {
    for (const line of this.#lines.values()) this.#dispatch(line);
  }

  #dispatch(line: Line): void {
    const wanted = ordersFor(this.#options.store.view(), line.node, line.session, this.#options.term);
    for (const order of wanted) {
      if (line.sent.has(order.key)) continue;
      line.sent.add(order.key);
      line.stream.write(order.message);
    }
    // What is no longer wanted is forgotten, so that the set stays as small as the node's work.
    const keys = new Set(wanted.map((order) => order.key));
    for (const key of line.sent) if (!keys.has(key)) line.sent.delete(key);
  }

  #sendDirectory(): void {
    const { directory } = this.#options;
    const message = directoryMessage(directory.meshId, directory.members());
    for (const line of this.#lines.values()) line.stream.write({ directory: message });
  }

  #refuse(stream: SessionStream, name: string, error: unknown): void {
    this.#options.log(
      `node ${name} was not registered: ${error instanceof Error ? error.message : String(error)}`,
    );
    stream.end();
  }
}
