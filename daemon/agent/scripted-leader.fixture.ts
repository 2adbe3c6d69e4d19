import * as grpc from "@grpc/grpc-js";
import type { Attempt, JobSpec } from "../../scheduler/model/job.ts";
import type { FromAgent__Output } from "../../proto/gen/gpumesh/v1/FromAgent.ts";
import type { FromLeader } from "../../proto/gen/gpumesh/v1/FromLeader.ts";
import type { Hello__Output } from "../../proto/gen/gpumesh/v1/Hello.ts";
import type { PartStatus__Output } from "../../proto/gen/gpumesh/v1/PartStatus.ts";
import type { PeerHandlers } from "../../proto/gen/gpumesh/v1/Peer.ts";
import { loadMesh } from "../../proto/load.ts";
import { until } from "../executor/process-executor-harness.ts";
import type { Member } from "../mesh/directory.ts";
import { Directory } from "../mesh/directory.ts";
import { Peers } from "../mesh/peers.ts";
import { afterwards, JOB } from "./agent.fixture.ts";

export const LEASE_MS = 6_000;

/** What a leader does with a new line, before anything else is said on it. */
export type Greeting = (line: Line) => void;

/** A daemon that other daemons of a test take for the leader, and that says what the test tells it to. */
export class ScriptedLeader {
  readonly name: string;
  readonly address: string;
  readonly lines: Line[] = [];
  /** Welcomes every caller in term 1, until the test says otherwise. */
  greeting: Greeting = (line) => line.welcome(1);
  acceptsRenewals = true;
  /** How often it was asked for a command. */
  shellCalls = 0;
  readonly #server: grpc.Server;

  private constructor(name: string, address: string, server: grpc.Server) {
    this.name = name;
    this.address = address;
    this.#server = server;
  }

  /** Serves on the loopback interface until the test ends; `shell` is the remote half of gpumesh-rsh. */
  static async start(
    name = "leader",
    shell: PeerHandlers["Shell"] = () => undefined,
  ): Promise<ScriptedLeader> {
    const server = new grpc.Server();
    const handlers = {
      Session: (call: grpc.ServerDuplexStream<FromAgent__Output, FromLeader>) => take(call),
    };
    const Shell: PeerHandlers["Shell"] = (call) => {
      leader.shellCalls += 1;
      shell(call);
    };
    server.addService(loadMesh().Peer.service, { ...handlers, Shell });
    const port = await new Promise<number>((resolve, reject) => {
      const bound = (error: Error | null, port: number): void => (error ? reject(error) : resolve(port));
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), bound);
    });
    const leader = new ScriptedLeader(name, `127.0.0.1:${port}`, server);
    const take = (call: grpc.ServerDuplexStream<FromAgent__Output, FromLeader>): void => {
      leader.lines.push(new Line(leader, call));
    };
    afterwards(() => leader.stop());
    return leader;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  member(number: number): Member {
    return { name: this.name, number, address: this.address, raftRole: "voter" };
  }

  /** The newest line, once there were `count` in all that said hello. */
  async line(count = 1): Promise<Line> {
    await until(() => this.lines.filter(({ hello }) => hello !== null).length >= count);
    const line = this.lines.findLast(({ hello }) => hello !== null);
    if (line === undefined) throw new Error("nobody called");
    return line;
  }
}

/** One call of an agent. */
export class Line {
  hello: Hello__Output | null = null;
  renewals = 0;
  readonly reports: PartStatus__Output[] = [];
  readonly #call: grpc.ServerDuplexStream<FromAgent__Output, FromLeader>;

  constructor(leader: ScriptedLeader, call: grpc.ServerDuplexStream<FromAgent__Output, FromLeader>) {
    this.#call = call;
    call.on("error", () => undefined);
    call.on("end", () => call.end());
    call.on("data", (message: FromAgent__Output) => {
      if (message.hello) {
        this.hello = message.hello;
        leader.greeting(this);
      } else if (message.report) {
        this.reports.push(message.report);
      } else if (message.renewal) {
        this.renewals += 1;
        const { sequence } = message.renewal;
        if (leader.acceptsRenewals) this.send({ renewalAccepted: { sequence } });
      }
    });
  }

  send(message: FromLeader): void {
    this.#call.write(message);
  }

  welcome(term: number): void {
    this.send({ welcome: { session: 1, term, leaseMs: LEASE_MS } });
  }

  end(): void {
    this.#call.end();
  }

  prepare(attempt: Attempt, spec: JobSpec, term = 1): void {
    const documents = { specJson: JSON.stringify(spec), attemptJson: JSON.stringify(attempt) };
    this.send({ prepare: { term, jobId: JOB, ...documents } });
  }

  start({ number, fence }: Attempt, term = 1): void {
    this.send({ start: { term, jobId: JOB, attempt: number, fence } });
  }

  stop({ number, fence }: Attempt, term = 1): void {
    this.send({ stop: { term, jobId: JOB, attempt: number, fence, graceMs: 0 } });
  }

  settle({ number, fence }: Attempt, kind: string): void {
    this.send({ settled: { jobId: JOB, attempt: number, fence, kind } });
  }

  /** What was said on this line of that attempt, newest last. */
  kinds(attempt = 1): readonly string[] {
    return this.reports.filter((report) => report.attempt === attempt).map(kindOf);
  }

  /** Waits until the newest word on that attempt is of this kind. */
  async reported(kind: string, attempt = 1): Promise<void> {
    await until(() => this.kinds(attempt).at(-1) === kind);
  }
}

/** The kind of a status's report; empty where there is nothing to report. */
export function kindOf({ reportJson }: Pick<PartStatus__Output, "reportJson">): string {
  return reportJson === "" ? "" : (JSON.parse(reportJson) as { kind: string }).kind;
}

/** What a daemon knows of these others, and its lines to them in plaintext. */
export function linesTo(...members: readonly Member[]): {
  readonly directory: Directory;
  readonly peers: Peers;
} {
  const directory = new Directory("mesh", members);
  const peers = new Peers(directory, ({ address }) => {
    const local = { "grpc.use_local_subchannel_pool": 1 };
    return new grpc.Channel(address, grpc.credentials.createInsecure(), local);
  });
  afterwards(() => peers.stop());
  return { directory, peers };
}
