import { DEFAULT_COMPACTION } from "../../daemon/raft/core-config.ts";
import { DEFAULT_LIMITS } from "../../daemon/raft/raft-limits.ts";
import { Bounds } from "./checks/bounds.ts";
import { DurableLogs } from "./checks/durable-logs.ts";
import { Elections } from "./checks/elections.ts";
import { Promotions } from "./checks/promotions.ts";
import { RaftInvariants } from "./checks/raft-invariants.ts";
import { StateMachines } from "./checks/state-machines.ts";
import { Clients } from "./clients.ts";
import { Clock } from "./clock.ts";
import { Disk } from "./disk.ts";
import { Faults } from "./faults.ts";
import { MachineClock, withMachineTime } from "./machine-clock.ts";
import { Network } from "./network.ts";
import { Policy } from "./policy.ts";
import { Random } from "./random.ts";
import { Readers } from "./readers.ts";
import { Recovery } from "./recovery.ts";
import { Replica } from "./replica.ts";
import type { Scenario } from "./scenario.ts";
import { Verdict } from "./verdict.ts";
import type { Failure } from "./verdict.ts";

export interface Outcome {
  readonly failure: Failure | null;
  readonly marks: ReadonlySet<string>;
  /** Equal for two runs of one scenario. */
  readonly hash: number;
  readonly events: number;
  /** Operations of clients that were answered. */
  readonly operations: number;
}

/** A run that has more events than this has gone wild. */
const EVENTS_MAX = 2_000_000;

/** The replicas of a run with all that they live in. */
export interface World {
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly random: Random;
  readonly verdict: Verdict;
  readonly network: Network;
  readonly replicas: ReadonlyMap<number, Replica>;
  readonly clients: Clients;
  readonly readers: Readers;
  readonly raft: RaftInvariants;
  readonly states: StateMachines;
}

/** Runs a scenario to its end or its first failure. Deterministic. */
export async function simulate(scenario: Scenario): Promise<Outcome> {
  const random = new Random(`run ${scenario.seed}`);
  const clock = new Clock(random.fork("clock"));
  const verdict = new Verdict(clock);
  const logs = new DurableLogs(verdict);
  const founders = Array.from({ length: scenario.founders }, (_, nth) => nth + 1);
  const promotions = new Promotions(verdict, logs, founders);
  const raft = new RaftInvariants(verdict, logs);
  const states = new StateMachines(verdict);
  const replicas = new Map<number, Replica>();
  const limits = scenario.limits ?? DEFAULT_LIMITS;
  const bounds = new Bounds(verdict, limits, logs);
  const elections = new Elections(
    verdict,
    () => clock.now,
    (id) => replicas.get(id)?.process?.alive === true,
    scenario.clockDrift,
  );
  const network = new Network(clock, random.fork("network"), verdict, scenario.network, {
    sent: (message) => {
      logs.sent(message);
      bounds.sent(message);
    },
    gone: (member) => elections.toldOfOneGone(member),
    onTheWay: (from, to, messages) => bounds.onTheWay(from, to, messages),
    chunk: (from, to, records) => bounds.chunk(from, to, records),
    arrived: (message) => elections.arrived(message),
    found: (message) => elections.found(message),
    taken: (message) => elections.taken(message),
  });
  const clients = new Clients(clock, random.fork("clients"), verdict, states, replicas, scenario.clients);
  const readers = new Readers(clock, random.fork("readers"), states, replicas, scenario.readGapMs);
  const world = { scenario, clock, random, verdict, network, replicas, clients, readers, raft, states };

  let touched: Replica | null = null;
  const leading = new Map<number, number>();
  const elected = new Map<number, number>();
  const observe = (): void => {
    const store = touched?.store ?? null;
    if (touched === null || store === null) return;
    const position = store.position();
    raft.observe(position);
    elections.observe(position);
    if (scenario.policy) promotions.observe(position);
    bounds.observe(position);
    if (position.role === "leader" && elected.get(touched.id) !== position.term) {
      elected.set(touched.id, position.term);
      faults.elected(touched);
    }
    states.observe(touched.id, store.view());
    const { leads, term } = store.leadership();
    if (!leads || leading.get(touched.id) === term) return;
    leading.set(touched.id, term);
    // A former leader, such as one that was stopped, may lack what a newer one has acknowledged.
    if (term === raft.newestTerm) states.checkComplete(touched.id, store.view());
  };

  for (let id = 1; id <= scenario.founders + scenario.spares; id++) {
    const own = random.fork(`replica ${id}`);
    const disk = new Disk(own.fork("disk"), scenario.disk, verdict, () => clock.now, {
      onDurable: (batch) => logs.append(id, batch),
      onSurvived: (batches) => logs.survived(id, batches),
    });
    const clockRate = 1 + scenario.clockDrift * own.between(-1, 1);
    const replica = new Replica({
      id,
      disk,
      clock,
      network,
      random: own,
      verdict,
      machine: new MachineClock(clock, clockRate),
      founders: founders.includes(id) ? founders : null,
      compaction: scenario.compaction ?? DEFAULT_COMPACTION,
      limits,
      onEvent: (each) => {
        touched = each;
      },
      onStart: () => {
        raft.started(id);
        elections.started(id);
        bounds.started(id);
        states.started(id);
        leading.delete(id);
      },
      onRecovered: (_replica, recovered) => {
        if (!disk.isPutBack) logs.recovered(id, recovered);
      },
    });
    replicas.set(id, replica);
    if (id <= scenario.founders) replica.start();
  }
  const faults = new Faults(world);
  const recovery = new Recovery(world, faults, new Policy(world));

  await withMachineTime(() =>
    clock.run(() => {
      observe();
      touched = null;
      if (clock.events > EVENTS_MAX) verdict.fail("a run comes to an end", `${EVENTS_MAX} events`);
      return verdict.failure !== null || recovery.isOver;
    }),
  );
  if (verdict.failure === null) clients.checkHistory();
  const { failure, marks } = verdict;
  return { failure, marks, hash: clock.hash, events: clock.events, operations: clients.operations };
}
