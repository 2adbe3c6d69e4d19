import type { CompactionLimits } from "../../daemon/raft/synced-entries.ts";
import type { ClientRates } from "./clients.ts";
import type { DiskRates } from "./disk.ts";
import type { NetworkRates } from "./network.ts";
import { Random } from "./random.ts";

/** A replica's number, or 0 for whichever leads when the fault strikes. */
type Target = number;

/** Something that goes wrong, or that an operator does, at `atMs`; most of it ends after `ms`. */
export type Fault = { readonly atMs: number } & (
  | {
      readonly kind: "crash";
      readonly target: Target;
      readonly power: boolean;
      /** Strikes when something is being written, and perhaps promised. */
      readonly inWrite: boolean;
      readonly ms: number;
    }
  | { readonly kind: "pause"; readonly target: Target; readonly ms: number }
  | {
      readonly kind: "isolate";
      readonly target: Target;
      readonly ways: "both" | "in" | "out";
      readonly ms: number;
    }
  | { readonly kind: "split"; readonly group: readonly number[]; readonly ms: number }
  /** Two halves that only meet in one member. */
  | {
      readonly kind: "bridge";
      readonly target: Target;
      readonly group: readonly number[];
      readonly ms: number;
    }
  | { readonly kind: "reset"; readonly target: Target }
  | { readonly kind: "slow"; readonly target: Target; readonly byMs: number; readonly ms: number }
  | { readonly kind: "hang"; readonly target: Target; readonly ms: number }
  | { readonly kind: "error"; readonly target: Target }
  | { readonly kind: "full"; readonly target: Target; readonly ms: number }
  | { readonly kind: "damage"; readonly target: Target; readonly how: "flipped bit" | "lost middle" }
  /** A copy of the disk is made, and takes its place `ms` later. */
  | { readonly kind: "put back"; readonly target: Target; readonly ms: number }
  | {
      readonly kind: "members";
      readonly change: "add" | "remove" | "replace" | "learner" | "promote" | "demote";
      readonly pick: number;
    }
  | { readonly kind: "transfer" }
);

type FaultKind = Fault["kind"];

/** Everything about a run that is not the product's own doing. Data: a part of the faults may be left out. */
export interface Scenario {
  readonly seed: number;
  readonly founders: number;
  /** Replicas that may join. */
  readonly spares: number;
  readonly network: NetworkRates;
  readonly disk: DiskRates;
  readonly clients: ClientRates;
  /** Small enough that who is away for a while needs a snapshot; null for those of a real daemon, which no run comes near. */
  readonly compaction: CompactionLimits | null;
  /** How far a replica's clock may run from true time, as a share of it. */
  readonly clockDrift: number;
  /** Virtual ms in which faults strike. */
  readonly chaosMs: number;
  readonly faults: readonly Fault[];
  /** One voter stays ill while the others must go on; null heals all. */
  readonly ill: "deaf" | "mute" | "half" | "hung disk" | null;
}

const FAULT_KINDS: readonly FaultKind[] = [
  "crash",
  "crash",
  "pause",
  "isolate",
  "isolate",
  "split",
  "bridge",
  "reset",
  "slow",
  "hang",
  "error",
  "full",
  "damage",
  "members",
  "members",
  "members",
  "transfer",
  "put back",
];

/** Draws a scenario by the swarm method: each seed has some kinds of faults, not all, each at a rate of its own. */
export function scenarioOf(seed: number): Scenario {
  const random = new Random(`scenario ${seed}`);
  const founders = random.pick([1, 2, 3, 3, 3, 3, 4, 5, 5]);
  const kinds = FAULT_KINDS.filter(() => random.chance(0.45));
  const meanGapMs = random.pick([150, 400, 900]);
  const chaosMs = random.between(4_000, 10_000);
  const faults: Fault[] = [];
  let atMs = random.between(0, 2_000);
  while (kinds.length > 0 && atMs < chaosMs) {
    faults.push(faultOf(random, random.pick(kinds), Math.round(atMs), founders));
    atMs += random.around(meanGapMs);
  }
  const unreliable = random.chance(0.6);
  return {
    seed,
    founders,
    spares: 3,
    network: {
      delayMs: random.pick([0.3, 2, 10, 40]),
      loss: unreliable ? random.pick([0, 0.01, 0.1]) : 0,
      duplicate: unreliable ? random.pick([0, 0.02, 0.2]) : 0,
      ordered: random.chance(0.6),
    },
    disk: {
      fsyncMs: random.pick([0.2, 1, 8, 25]),
      slowFsync: random.pick([0, 0, 0.01, 0.05]),
      batchesPerFile: random.pick([3, 10, 40]),
    },
    clients: {
      clients: random.pick([2, 5, 10]),
      thinkMs: random.pick([10, 40, 120]),
      answerLoss: random.pick([0, 0, 0.1, 0.3]),
    },
    compaction: compactionOf(random),
    clockDrift: random.pick([0, 0.01, 0.1]),
    chaosMs,
    faults,
    ill: random.chance(0.5) ? random.pick(["deaf", "mute", "half", "hung disk"] as const) : null,
  };
}

function compactionOf(random: Random): CompactionLimits | null {
  if (random.chance(0.25)) return null;
  return {
    entriesKeptMin: random.pick([0, 2, 10, 40]),
    entriesKeptBytesMax: random.pick([500, 5_000, 100_000]),
    compactedPerBatchMin: random.pick([1, 5, 20]),
    compactedPerBatchMax: random.pick([20, 200]),
  };
}

function faultOf(random: Random, kind: FaultKind, atMs: number, founders: number): Fault {
  const target = random.chance(0.45) ? 0 : 1 + random.below(founders);
  const ms = Math.round(random.around(random.pick([200, 1_500, 4_000])));
  const group = [1, 2, 3, 4, 5, 6, 7, 8].filter(() => random.chance(0.5));
  switch (kind) {
    case "crash":
      return { atMs, kind, target, power: random.chance(0.7), inWrite: random.chance(0.6), ms };
    case "isolate":
      return { atMs, kind, target, ways: random.pick(["both", "in", "out"]), ms };
    case "split":
      return { atMs, kind, group, ms };
    case "bridge":
      return { atMs, kind, target, group, ms };
    case "slow":
      return { atMs, kind, target, byMs: Math.round(random.around(80)), ms };
    case "damage":
      return { atMs, kind, target, how: random.pick(["flipped bit", "lost middle"]) };
    case "members": {
      const change = random.pick([
        "add",
        "remove",
        "replace",
        "replace",
        "learner",
        "promote",
        "demote",
      ] as const);
      return { atMs, kind, change, pick: random.below(1_000) };
    }
    case "transfer":
      return { atMs, kind };
    case "reset":
    case "error":
      return { atMs, kind, target };
    case "pause":
    case "hang":
    case "full":
    case "put back":
      return { atMs, kind, target, ms };
  }
}
