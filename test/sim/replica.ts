import { LevelLog } from "../../daemon/raft/level-log.ts";
import type { RaftLimits } from "../../daemon/raft/raft-limits.ts";
import { LogError } from "../../daemon/raft/raft-log.ts";
import type { OpenLogOptions, RaftLog, RecoveredLog } from "../../daemon/raft/raft-log.ts";
import type { CompactionLimits } from "../../daemon/raft/synced-entries.ts";
import { RaftStore } from "../../daemon/store/raft-store.ts";
import type { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import type { MachineClock } from "./machine-clock.ts";
import type { Network } from "./network.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Verdict } from "./verdict.ts";

/** What the core says when it goes through a rare situation, and how that situation is called. */
const MARKS: readonly (readonly [RegExp, string])[] = [
  [/found conflict at index/, "conflict truncation"],
  [/initiating automatic transition out of joint/, "joint leave"],
  [/voters=\(.*\)&&\(/, "joint membership"],
  [/rejected MsgPreVote from/, "pre-vote refused"],
  [/ignored Msg(Pre)?Vote from .*lease is not expired/, "vote refused under a live leader"],
  [/stepped down to follower since quorum is not active/, "leader without a quorum steps down"],
  [/received MsgTimeoutNow/, "leadership transfer"],
  [/the process of the leader, member \d+, is gone/, "failover hint taken"],
  [/falling silent/, "stalled disk"],
  [/cannot campaign .* pending configuration changes/, "campaign put off for a membership change"],
];

/** How long a daemon's supervisor waits before it starts it again. */
const RESTART_MS = 300;

/** One whole replica: log, core, driver and store of the product, in processes that come and go. */
export class Replica {
  readonly id: number;
  readonly disk: Disk;
  /** Those of its machine, which go on when it ends. */
  readonly clock: MachineClock;
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #random: Random;
  readonly #verdict: Verdict;
  readonly #founders: readonly number[] | null;
  readonly #compaction: CompactionLimits;
  readonly #limits: RaftLimits;
  readonly #onEvent: (replica: Replica) => void;
  readonly #onStart: (replica: Replica) => void;
  readonly #onRecovered: (replica: Replica, recovered: RecoveredLog) => void;
  #process: Process | null = null;
  #store: RaftStore | null = null;
  #hasRun = false;
  #refused = false;
  #started = false;

  constructor(options: {
    readonly id: number;
    readonly disk: Disk;
    readonly clock: Clock;
    readonly network: Network;
    readonly random: Random;
    readonly verdict: Verdict;
    readonly machine: MachineClock;
    /** Null for one that joins later. */
    readonly founders: readonly number[] | null;
    readonly compaction: CompactionLimits;
    readonly limits: RaftLimits;
    /** Called after each event in it. */
    readonly onEvent: (replica: Replica) => void;
    readonly onStart: (replica: Replica) => void;
    readonly onRecovered: (replica: Replica, recovered: RecoveredLog) => void;
  }) {
    this.id = options.id;
    this.disk = options.disk;
    this.#clock = options.clock;
    this.#network = options.network;
    this.#random = options.random;
    this.#verdict = options.verdict;
    this.clock = options.machine;
    this.#founders = options.founders;
    this.#compaction = options.compaction;
    this.#limits = options.limits;
    this.#onEvent = options.onEvent;
    this.#onStart = options.onStart;
    this.#onRecovered = options.onRecovered;
  }

  get process(): Process | null {
    return this.#process;
  }

  /** Null while it does not run, or has not started up. */
  get store(): RaftStore | null {
    return this.#store;
  }

  /** It found its disk damaged and will never run again. */
  get refused(): boolean {
    return this.#refused;
  }

  /** It was started at some time. */
  get wasStarted(): boolean {
    return this.#started;
  }

  start(): void {
    if (this.#process !== null || this.#refused) return;
    const process = new Process(this.#clock, this.#random, this.clock, () => this.#onEvent(this));
    this.#process = process;
    this.#started = true;
    this.#onStart(this);
    process.post("soon", 0, () => {
      RaftStore.start({
        id: this.id,
        meshId: "sim",
        folder: `replica-${this.id}`,
        transport: this.#network.join(this.id, process),
        environment: process.environment,
        bootstrap: this.#hasRun || this.#founders === null ? null : { voters: this.#founders },
        openLog: (_folder, options) => this.#openLog(process, options),
        compaction: this.#compaction,
        limits: this.#limits,
        onFatal: (error) => this.#exit(process, error),
        report: (_level, line) => {
          for (const [pattern, mark] of MARKS) if (pattern.test(line)) this.#verdict.mark(mark);
        },
      }).then(
        (store) => {
          if (!process.alive) return;
          this.#store = store;
          this.#hasRun = true;
        },
        (error: unknown) => this.#exit(process, error),
      );
    });
  }

  /** Kills the process, or takes the power away from it with its disk; does nothing to one that does not run. */
  crash(power: boolean, downMs: number): void {
    if (this.#process === null) return;
    this.#end();
    // A machine without power tells nobody.
    if (!power) this.#network.processEnded(this.id);
    this.disk.crash(power);
    this.#startAfter(downMs);
  }

  #startAfter(delayMs: number): void {
    this.#clock.after(delayMs, () => this.start());
  }

  async #openLog(process: Process, options: OpenLogOptions): Promise<RaftLog> {
    const log = await LevelLog.open("log", { ...options, device: this.disk.device(process) });
    if (process.alive) this.#onRecovered(this, log.recovered);
    return {
      recovered: log.recovered,
      identity: log.identity,
      get syncedBatch() {
        return log.syncedBatch;
      },
      get lastIndex() {
        return log.lastIndex;
      },
      append: async (batch) => {
        this.disk.announce(batch);
        await log.append(batch);
        if (batch.install !== null) this.#verdict.mark("snapshot installed");
        if (batch.compactTo !== null) this.#verdict.mark("log compacted");
      },
      stage: () => log.stage(),
      openSnapshot: () => log.openSnapshot(),
      close: () => log.close(),
    };
  }

  /** The process has ended itself. */
  #exit(process: Process, error: unknown): void {
    if (!process.alive) return;
    this.#end();
    this.#network.processEnded(this.id);
    this.disk.crash(false);
    if (!(error instanceof LogError)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#verdict.fail("no replica breaks an invariant of its own", `replica ${this.id}: ${text}`);
    } else if (error.code === "storage") {
      this.#startAfter(this.#random.between(RESTART_MS, 2 * RESTART_MS));
    } else if (this.disk.damaged) {
      this.#refused = true;
      this.#verdict.mark("damaged log refused");
    } else if (error.code === "refused" && this.disk.isPutBack) {
      this.#refused = true;
      this.#verdict.mark("older image refused");
    } else {
      this.#verdict.fail("a crash is no damage", `replica ${this.id} does not start: ${error.message}`);
    }
  }

  #end(): void {
    this.#process?.kill();
    this.#process = null;
    this.#store = null;
  }
}
