import type { RaftLimits } from "../../daemon/raft/raft-limits.ts";
import type { CompactionLimits } from "../../daemon/raft/synced-entries.ts";
import type { ClientRates } from "./clients.ts";
import type { Damage, DiskRates } from "./disk.ts";
import type { NetworkRates } from "./network.ts";
import { Random } from "./random.ts";

/** A replica's number, or 0 for whichever leads when the fault strikes. */
type Target = number;

const MEMBERS_CHANGES = ["add", "remove", "replace", "learner", "promote", "demote"] as const;
export type MembersChange = (typeof MEMBERS_CHANGES)[number];

/** Something that goes wrong, or that an operator does, at `atMs`; most of it ends after `ms`. */
export type Fault = { readonly atMs: number } & (
  | {
      readonly kind: "crash";
      readonly target: Target;
      readonly power: boolean;
      /** Strikes when something is being written, and perhaps promised, or whoever stores a snapshot; null for at once. */
      readonly inWrite: "any" | "snapshot" | null;
      readonly ms: number;
    }
  /**
   * Strikes whoever is elected next, in the moment of the election or a little later, so many times. It may begin with the
   * leader of now, who is cut off for so long.
   */
  | {
      readonly kind: "ambush";
      readonly deposeMs: number | null;
      readonly how: "crash" | "isolate" | "pause" | "reset";
      readonly times: number;
      readonly delayMs: number;
      readonly ms: number;
    }
  | { readonly kind: "pause"; readonly target: Target; readonly ms: number }
  | {
      readonly kind: "isolate";
      readonly target: Target;
      readonly ways: "both" | "in" | "out";
      /** What is sent meanwhile comes when it is over; else it is lost. */
      readonly late: boolean;
      readonly ms: number;
    }
  /** Messages to or from it take longer; the streams to it may break again and again meanwhile. */
  | {
      readonly kind: "lag";
      readonly target: Target;
      readonly ways: "both" | "in" | "out";
      readonly byMs: number;
      /** Mean ms between two breaks; null for none. */
      readonly breakMs: number | null;
      readonly ms: number;
    }
  /** Its wall clock is set; its other clocks go on. */
  | { readonly kind: "wall jump"; readonly target: Target; readonly byMs: number }
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
  | { readonly kind: "damage"; readonly target: Target; readonly how: Damage }
  /** A copy of the disk is made, and takes its place `ms` later. */
  | { readonly kind: "put back"; readonly target: Target; readonly ms: number }
  | {
      readonly kind: "members";
      /** What each operator asks for. */
      readonly changes: readonly MembersChange[];
      readonly pick: number;
      /** How long each asks again, of whoever says that it leads. */
      readonly patienceMs: number;
      /**
       * What strikes when somebody was asked, how much later, and for how long: the network splits, and the asked one stays
       * with the new members; or the process of the asked one is killed.
       */
      readonly blow: { readonly how: "split" | "kill"; readonly afterMs: number; readonly ms: number } | null;
    }
  | { readonly kind: "transfer" }
  /** Many ask whoever leads at once; the leader of now may be cut off in that moment, for so long. */
  | {
      readonly kind: "burst";
      readonly commands: number;
      readonly overMs: number;
      readonly cutOffMs: number | null;
    }
  /**
   * A leader hears everything so much later, and hands over a while after that began: then it hears of its successor so
   * much later too, and answers to what it asked as a leader still come in.
   */
  | { readonly kind: "depose"; readonly byMs: number; readonly handOverAfterMs: number; readonly ms: number }
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
  /** Mean ms between two reads that nobody waits for, by whomever they are answered; null for none. */
  readonly readGapMs: number | null;
  /** Small enough that who is away for a while needs a snapshot; null for those of a real daemon, which no run comes near. */
  readonly compaction: CompactionLimits | null;
  /** Small enough to be met; null for those of a real daemon. */
  readonly limits: RaftLimits | null;
  /** How far a replica's clock may run from true time, as a share of it. */
  readonly clockDrift: number;
  /** Virtual ms in which faults strike. */
  readonly chaosMs: number;
  readonly faults: readonly Fault[];
  /** One voter stays ill while the others must go on; null heals all. */
  readonly ill: "deaf" | "mute" | "half" | "hung disk" | "dead" | null;
  /** It falls ill before anybody is healed. */
  readonly illFromChaos: boolean;
  /** The mesh chooses its voters by itself, and nobody else does. */
  readonly policy: boolean;
}

const SPARES = 3;

const FAULT_KINDS: readonly FaultKind[] = [
  "ambush",
  "crash",
  "crash",
  "pause",
  "isolate",
  "isolate",
  "split",
  "bridge",
  "lag",
  "reset",
  "slow",
  "hang",
  "error",
  "full",
  "damage",
  "depose",
  "members",
  "members",
  "members",
  "transfer",
  "burst",
  "put back",
  "wall jump",
];

/** Faults that make each other worse. Half of the seeds have one of these sets in the place of some of all kinds. */
const THEMES: readonly (readonly FaultKind[])[] = [
  ["ambush", "ambush", "isolate", "crash", "split"],
  ["members", "members", "members", "ambush", "isolate", "crash"],
  ["members", "members", "depose", "split"],
  ["depose", "depose", "depose", "isolate", "pause"],
  ["crash", "crash", "damage", "slow", "isolate", "ambush"],
  ["crash", "put back", "transfer", "isolate", "ambush"],
  ["crash", "isolate", "split", "reset", "depose"],
  ["lag", "lag", "reset", "crash", "burst"],
  ["burst", "burst", "isolate", "transfer", "hang"],
  ["pause", "pause", "wall jump", "hang", "slow"],
];

/** They change who can be a quorum. */
const OF_MEMBERSHIP: readonly FaultKind[] = ["members", "damage", "put back"];

/** Draws a scenario by the swarm method: each seed has some kinds of faults, not all, each at a rate of its own. */
export function scenarioOf(seed: number): Scenario {
  const random = new Random(`scenario ${seed}`);
  const policy = random.chance(0.18);
  const founders = random.pick(policy ? [1, 1, 2, 3] : [1, 2, 3, 3, 3, 3, 4, 5, 5]);
  const ill =
    !policy && random.chance(0.5)
      ? random.pick(["deaf", "mute", "half", "hung disk", "dead"] as const)
      : null;
  const illFromChaos = random.chance(0.7);
  const leaderless = ill !== null && illFromChaos && founders >= 3 && random.chance(0.45);
  const theme = random.chance(0.5) ? random.pick(THEMES) : null;
  const drawn = theme ?? FAULT_KINDS.filter(() => random.chance(0.45));
  const kinds = policy || leaderless ? drawn.filter((kind) => !OF_MEMBERSHIP.includes(kind)) : drawn;
  const meanGapMs = theme === null ? random.pick([200, 600, 1_500]) : random.pick([300, 800, 2_000]);
  const chaosMs = random.between(4_000, 10_000);
  const faults: Fault[] = [];
  let atMs = random.between(0, 2_000);
  while (kinds.length > 0 && atMs < chaosMs) {
    faults.push(faultOf(random, random.pick(kinds), Math.round(atMs), founders));
    atMs += random.around(meanGapMs);
  }
  const unreliable = random.chance(0.6);
  if (random.chance(0.5)) faults.push(strikesAtSnapshots(random, chaosMs));
  if (leaderless) faults.push(failedElections(random, chaosMs));
  if (ill === null && !policy && founders >= 3 && random.chance(0.6))
    faults.push(lossOfDisk(random, chaosMs, founders));
  return {
    seed,
    founders,
    spares: SPARES,
    network: {
      delayMs: random.pick([0.3, 2, 10, 40]),
      loss: unreliable ? random.pick([0, 0.01, 0.1]) : 0,
      duplicate: unreliable ? random.pick([0, 0.02, 0.2]) : 0,
      ordered: random.chance(0.6),
      chunkMs: random.pick([0, 0, 15, 50]),
    },
    disk: {
      fsyncMs: random.pick([0.2, 1, 8, 25]),
      slowFsync: random.pick([0, 0, 0.01, 0.05]),
      batchesPerFile: random.pick([1, 3, 10, 40]),
    },
    clients: {
      clients: random.pick(policy ? [10, 16] : [2, 5, 10, 16]),
      thinkMs: random.pick(policy ? [10, 40] : [10, 40, 120]),
      patienceMs: random.pick([300, 1_000, 3_000]),
      answerLoss: random.pick([0, 0, 0.1, 0.3]),
    },
    readGapMs: random.pick([null, 8, 8, 25]),
    compaction: compactionOf(random),
    limits: limitsOf(random),
    clockDrift: random.pick([0, 0.01, 0.1]),
    chaosMs,
    faults,
    ill,
    illFromChaos,
    policy,
  };
}

function lossOfDisk(random: Random, chaosMs: number, founders: number): Fault {
  const kind = random.pick(["damage", "damage", "put back"] as const);
  const fault = faultOf(random, kind, Math.round(random.between(0.3, 0.9) * chaosMs), founders);
  return "target" in fault ? { ...fault, target: 1 + random.below(founders) } : fault;
}

/** Whoever is sent a snapshot when all others are well again. */
function strikesAtSnapshots(random: Random, chaosMs: number): Fault {
  const atMs = Math.round(0.95 * chaosMs);
  return { atMs, kind: "crash", target: 0, power: random.chance(0.7), inWrite: "snapshot", ms: 200 };
}

/** Nobody leads when the faults end: one is away with a log of its own, and whoever was elected since has lost its own. */
function failedElections(random: Random, chaosMs: number): Fault {
  const lastingMs = Math.round(random.between(3_000, 6_000));
  const atMs = Math.max(0, Math.round(chaosMs - lastingMs));
  const ms = Math.round(random.between(100, 1_000));
  return { atMs, kind: "ambush", deposeMs: lastingMs, how: "crash", times: 6, delayMs: 0, ms };
}

function compactionOf(random: Random): CompactionLimits | null {
  if (random.chance(0.25)) return null;
  return {
    entriesKeptMin: random.pick([0, 2, 10, 40]),
    entriesKeptBytesMax: random.pick([500, 5_000, 100_000]),
    compactedPerBatchMin: random.pick([1, 5, 20]),
    compactedPerBatchMax: random.pick([20, 200]),
    heldEntriesMax: random.pick([20, 100, 1_000]),
    heldBytesMax: random.pick([5_000, 50_000, 1_000_000]),
  };
}

function limitsOf(random: Random): RaftLimits | null {
  if (random.chance(0.25)) return null;
  const messageBytesMax = random.pick([400, 4_000, 1_000_000]);
  return {
    proposalBatchBytesMax: random.pick([500, 500, 4_000, 1_000_000]),
    proposalsMax: random.pick([30, 16_384]),
    readersMax: random.pick([100, 16_384]),
    readiesPerTurnMax: random.pick([1, 2, 16]),
    messageBytesMax,
    committedBytesPerReadyMax: random.pick([400, 4_000, 4_000_000]),
    uncommittedBytesMax: random.pick([1_500, 1_500, 10_000, 64_000_000]),
    inflightMessagesMax: random.pick([2, 8, 256]),
    inflightBytesMax: Math.max(messageBytesMax, random.pick([2_000, 16_000_000])),
    snapshotChunkBytesMax: random.pick([3_000, 6_000, 20_000]),
  };
}

function faultOf(random: Random, kind: FaultKind, atMs: number, founders: number): Fault {
  const target = random.chance(0.45) ? 0 : 1 + random.below(founders);
  const ms = Math.round(random.around(random.pick([200, 1_500, 4_000])));
  const group = [1, 2, 3, 4, 5, 6, 7, 8].filter(() => random.chance(0.5));
  switch (kind) {
    case "crash": {
      const inWrite = random.pick(["any", "any", "snapshot", "snapshot", null] as const);
      return { atMs, kind, target, power: random.chance(0.7), inWrite, ms };
    }
    case "ambush": {
      const how = random.pick(["crash", "isolate", "isolate", "pause", "reset"] as const);
      const delayMs = random.chance(0.5) ? 0 : Math.round(random.around(random.pick([5, 60])));
      const deposeMs = random.chance(0.3) ? Math.round(random.between(1_500, 5_000)) : null;
      return { atMs, kind, deposeMs, how, times: 1 + random.below(3), delayMs, ms };
    }
    case "isolate":
      return { atMs, kind, target, ways: random.pick(["both", "in", "out"]), late: random.chance(0.3), ms };
    case "lag": {
      const byMs = Math.round(random.around(random.pick([50, 300, 1_000])));
      const breakMs = random.pick([null, 60, 150, 400]);
      return { atMs, kind, target, ways: random.pick(["both", "in", "in", "out", "out"]), byMs, breakMs, ms };
    }
    case "wall jump": {
      const byMs = random.pick([-3_600_000, -5_000, -500, 500, 5_000, 3_600_000]);
      return { atMs, kind, target, byMs };
    }
    case "split":
      return { atMs, kind, group, ms };
    case "bridge":
      return { atMs, kind, target, group, ms };
    case "slow":
      return { atMs, kind, target, byMs: Math.round(random.around(80)), ms };
    case "damage":
      return {
        atMs,
        kind,
        target,
        how: random.pick(["flipped bits", "flipped bits", "lost middle", "lost tail"]),
      };
    case "members": {
      const drawn = Array.from({ length: random.pick([1, 2, 2, 3]) }, () => random.pick(MEMBERS_CHANGES));
      const changes = random.chance(0.3) ? drawn.map(() => random.pick(["add", "replace"] as const)) : drawn;
      const afterMs = random.around(random.pick([1, 5, 20, 100]));
      const how = random.pick(["split", "kill"] as const);
      const blow = random.chance(0.7) ? { how, afterMs, ms } : null;
      const patienceMs = random.pick([500, 3_000, 5_000]);
      return { atMs, kind, changes, pick: random.below(1_000), patienceMs, blow };
    }
    case "transfer":
      return { atMs, kind };
    case "burst": {
      const overMs = random.pick([5, 100, 1_000]);
      const cutOffMs = random.chance(0.6) ? Math.round(random.between(500, 3_000)) : null;
      return { atMs, kind, commands: random.pick([20, 40, 60]), overMs, cutOffMs };
    }
    case "depose": {
      const byMs = Math.round(random.between(100, 900));
      const handOverAfterMs = Math.round(byMs * random.pick([0, 0.5, 1.2]));
      return { atMs, kind, byMs, handOverAfterMs, ms: handOverAfterMs + 3 * byMs };
    }
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
