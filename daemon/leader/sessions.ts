import type { ServerDuplexStream } from "@grpc/grpc-js";
import { jobId, nodeId } from "../../scheduler/model/ids.ts";
import type { NodeId, Session } from "../../scheduler/model/ids.ts";
import { activeAttempt } from "../../scheduler/model/job.ts";
import { whyLeftBehind } from "../../scheduler/model/left-behind.ts";
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

/** A daemon that takes a line and does not say who it is within this time is turned away. */
const HELLO_TIMEOUT_MS = 5_000;

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
  /** Every open call, greeted or not. */
  readonly #streams = new Set<SessionStream>();
  /** The line of each daemon; an older one of the same name is neither heard nor written to. */
  readonly #lines = new Map<NodeId, Line>();
  readonly #stops: (() => void)[] = [];
  #stopped = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stops.push(this.#options.store.watch(() => this.#dispatchAll()));
    this.#stops.push(this.#options.directory.onChange(() => this.#sendDirectory(this.#lines.values())));
  }

  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops) stop();
    this.#lines.clear();
    for (const stream of this.#streams) stream.end();
  }

  /** Takes a daemon's call; `name` is the one in its certificate. */
  accept(stream: SessionStream, name: string): void {
    let line: Line | null = null;
    let greeted = false;
    this.#streams.add(stream);
    const impatience = setTimeout(() => {
      this.#refuse(stream, name, new Error(`it said no hello for ${HELLO_TIMEOUT_MS} ms`));
    }, HELLO_TIMEOUT_MS);
    const over = (): void => {
      clearTimeout(impatience);
      this.#streams.delete(stream);
      if (line !== null && this.#isOpen(line)) this.#lines.delete(line.node);
    };
    stream.on("data", (message: FromAgent__Output) => {
      if (line !== null) {
        this.#hear(line, message);
      } else if (message.hello && !greeted) {
        greeted = true;
        clearTimeout(impatience);
        this.#greet(stream, name, message.hello).then(
          (opened) => (line = opened),
          (error: unknown) => this.#refuse(stream, name, error),
        );
      }
    });
    stream.on("end", () => {
      over();
      stream.end();
    });
    stream.on("error", over);
    stream.on("cancelled", over);
  }

  #hear(line: Line, message: FromAgent__Output): void {
    if (!this.#isOpen(line)) return;
    if (message.report) return this.#report(line, message.report);
    if (!message.renewal) return;
    const { sequence } = message.renewal;
    const acknowledge = (): void => this.#send(line, { renewalAccepted: { sequence } });
    this.#options.leases.renewed(line.node, line.session, acknowledge);
  }

  async #greet(stream: SessionStream, name: string, hello: Hello__Output): Promise<Line> {
    const { store, term } = this.#options;
    const facts = parseNodeFacts(hello.factsJson);
    if (facts.kind === "malformed") throw new Error(`its facts do not parse: ${facts.reason}`);
    if (facts.value.id !== name) throw new Error(`it calls itself ${facts.value.id}`);
    const leftBehindAt = store.view().nodes.get(nodeId(name))?.leftBehindAt ?? null;
    if (leftBehindAt !== null) {
      const reason = whyLeftBehind(nodeId(name), leftBehindAt);
      stream.write({ leftBehind: { reason } });
      throw new Error(reason);
    }
    const result = await store.propose({ kind: "registerNode", at: this.#options.now(), facts: facts.value });
    if (result.kind !== "node")
      throw new Error(result.kind === "refused" ? result.reason : `unexpected result ${result.kind}`);
    if (this.#stopped) throw new Error("the leadership ended");
    if (!this.#streams.has(stream)) throw new Error("it hung up");
    const line: Line = { node: nodeId(name), stream, session: result.session, sent: new Set() };
    this.#lines.get(line.node)?.stream.end();
    this.#lines.set(line.node, line);
    this.#send(line, { welcome: { session: result.session, term, leaseMs: LEASE_MS } });
    this.#sendDirectory([line]);
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
      // A fence above what is applied here means that this mesh lost data: such an attempt is not touched, until people
      // have said, by a recovery, that the data will not come back.
      else if (fence.index <= store.view().version || fence.epoch < (store.view().mesh?.recoveryEpoch ?? 0))
        this.#sendStop(line, job, status.attempt, fence);
      else {
        this.#options.log(`node ${line.node} runs ${job}.${status.attempt}, which this mesh does not know`);
        if (report !== null) this.#settle(line, status, report.value.kind);
      }
    } else if (report !== null && part !== undefined) {
      if (!isNews(part.progress, report.value)) return this.#settle(line, status, report.value.kind);
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
        (result) => {
          if (result.kind === "refused" && result.code !== "stale")
            this.#options.log(`a report of ${line.node} was refused: ${result.reason}`);
          this.#settle(line, status, report.value.kind);
        },
        (error: unknown) => this.#options.log(`a report of ${line.node} was not committed: ${String(error)}`),
      );
    }
  }

  #settle(line: Line, status: PartStatus__Output, kind: string): void {
    const { jobId: job, attempt, fence } = status;
    this.#send(line, { settled: { jobId: job, attempt, fence, kind } });
  }

  #sendStop(line: Line, job: number, attempt: number, fence: { epoch: number; index: number }): void {
    const { term } = this.#options;
    this.#send(line, { stop: { term, jobId: job, attempt, fence, graceMs: STOP_GRACE_MS } });
  }

  #dispatchAll(): void {
    for (const line of this.#lines.values()) {
      const node = this.#options.store.view().nodes.get(line.node);
      if (node?.state.kind === "ready" && node.session === line.session) this.#dispatch(line);
      else this.#close(line);
    }
  }

  #dispatch(line: Line): void {
    const wanted = ordersFor(this.#options.store.view(), line.node, line.session, this.#options.term);
    for (const order of wanted) {
      if (line.sent.has(order.key)) continue;
      line.sent.add(order.key);
      this.#send(line, order.message());
    }
    // What is no longer wanted is forgotten, so that the set stays as small as the node's work.
    const keys = new Set(wanted.map((order) => order.key));
    for (const key of line.sent) if (!keys.has(key)) line.sent.delete(key);
  }

  /** Not to this daemon's own line: its directory is the source, and what came back over the line would be older. */
  #sendDirectory(lines: Iterable<Line>): void {
    const { directory, store } = this.#options;
    const own = store.leadership().leader;
    const message = directoryMessage(directory.meshId, directory.members());
    for (const line of lines) {
      if (store.view().nodes.get(line.node)?.number !== own) this.#send(line, { directory: message });
    }
  }

  #isOpen(line: Line): boolean {
    return this.#lines.get(line.node) === line;
  }

  #send(line: Line, message: FromLeader): void {
    if (this.#isOpen(line)) line.stream.write(message);
  }

  /** Its session has ended: the daemon registers again, for a new one. */
  #close(line: Line): void {
    this.#lines.delete(line.node);
    line.stream.end();
  }

  #refuse(stream: SessionStream, name: string, error: unknown): void {
    this.#options.log(
      `node ${name} was not registered: ${error instanceof Error ? error.message : String(error)}`,
    );
    stream.end();
  }
}
