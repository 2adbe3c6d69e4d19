import type { LeafFault } from "./leaf.ts";
import type { Ecc, Fabric, GpuHealth, Mig, RemappedRows, RetiredPages } from "./report.ts";

/** The facts a verdict rests on. */
export interface HealthFacts {
  readonly pciBusId: string;
  readonly mig: Mig;
  readonly ecc: Ecc;
  readonly remappedRows: RemappedRows;
  readonly retiredPages: RetiredPages;
  readonly recoveryAction: string | null;
  readonly fabric: Fabric;
  readonly slowdowns: readonly string[];
  /** Failures that stood in place of values, each with the path of its element. */
  readonly faults: readonly { readonly path: string; readonly fault: LeafFault }[];
}

/**
 * Decides whether jobs may run on a GPU. The driver's own recovery action leads; the single facts cover drivers
 * before 570, which have none. Rules: NVIDIA's GPU memory error management guide and Xid catalog, in which a pending
 * row remap leaves the GPU usable until the next reset while a failed one calls for replacement.
 */
export function judgeHealth(facts: HealthFacts): GpuHealth {
  const unhealthy = [
    ...recoveryReasons(facts.recoveryAction, facts.pciBusId),
    ...lostReasons(facts),
    ...brokenMemoryReasons(facts),
    ...brokenFabricReasons(facts.fabric),
  ];
  const degraded = [...pendingReasons(facts), ...limitedReasons(facts), ...unknownErrorReasons(facts)];
  const reasons = [...unhealthy, ...degraded];
  if (unhealthy.length > 0) return { verdict: "unhealthy", reasons };
  return { verdict: degraded.length > 0 ? "degraded" : "healthy", reasons };
}

function recoveryReasons(action: string | null, pciBusId: string): readonly string[] {
  switch (action) {
    case null:
    case "None":
      return [];
    case "Reset":
      return [
        `the driver asks for a reset: stop its processes, then run nvidia-smi --gpu-reset -i ${pciBusId}`,
      ];
    case "Reboot":
      return ["the driver asks for a reboot: drain the node and reboot it"];
    case "Drain and Reset":
      return [
        `the driver asks to drain and reset: let its jobs end, then run nvidia-smi --gpu-reset -i ${pciBusId}`,
      ];
    case "Drain P2P":
      return [
        "the driver asks to drain peer-to-peer traffic: let jobs on several GPUs end, then read the action again",
      ];
    default:
      return [
        `the driver asks for an unknown recovery action ${JSON.stringify(action)}: see the driver's notes`,
      ];
  }
}

function lostReasons({ faults, pciBusId }: HealthFacts): readonly string[] {
  const reasons: string[] = [];
  if (faults.some(({ fault }) => fault === "GPU is lost")) {
    reasons.push(
      "the GPU is lost: it has fallen off the PCI bus; reboot the node, and replace the GPU if it recurs",
    );
  }
  if (faults.some(({ fault }) => fault === "GPU requires reset")) {
    reasons.push(`the GPU requires a reset: run nvidia-smi --gpu-reset -i ${pciBusId}, or reboot the node`);
  }
  if (faults.some(({ fault, path }) => fault === "Unknown Error" && path.startsWith("fb_memory_usage"))) {
    reasons.push(
      "its memory cannot be read (Unknown Error): look for Xid messages in the kernel log, then reset it",
    );
  }
  return reasons;
}

function brokenMemoryReasons({ ecc, remappedRows, recoveryAction }: HealthFacts): readonly string[] {
  const reasons: string[] = [];
  if (remappedRows.failure === true) reasons.push("a memory row could not be remapped: replace the GPU");
  if (ecc.unrepairableMemory === true) reasons.push("its memory cannot be repaired: replace the GPU");
  if (ecc.sramThresholdExceeded === true) {
    reasons.push("SRAM errors exceed NVIDIA's threshold: run the field diagnostic and replace the GPU");
  }
  if (hasUncorrectable(ecc) && recoveryAction === null) {
    reasons.push(
      `${ecc.volatileUncorrectable} uncorrectable memory errors since the driver was loaded: reset the GPU`,
    );
  }
  return reasons;
}

/** A GPU of an NVSwitch machine whose fabric is not ready fails CUDA initialisation with error 802. */
function brokenFabricReasons({ state, status, summary, routeUnhealthy }: Fabric): readonly string[] {
  if (state !== null && state !== "Completed") {
    return [
      `its NVLink fabric is ${JSON.stringify(state)}, not Completed: check that nvidia-fabricmanager runs`,
    ];
  }
  if (state !== null && status !== null && status !== "Success") {
    return [
      `its NVLink fabric failed with status ${JSON.stringify(status)}: see the log of nvidia-fabricmanager`,
    ];
  }
  if (summary === "Unhealthy" || routeUnhealthy === true) {
    return [
      "its NVLink fabric is unhealthy: see the log of nvidia-fabricmanager, then reset GPUs and switches",
    ];
  }
  return [];
}

function pendingReasons(facts: HealthFacts): readonly string[] {
  const { mig, ecc, remappedRows, retiredPages, recoveryAction } = facts;
  const reasons: string[] = [];
  if (remappedRows.pending === true)
    reasons.push("a memory row is remapped at the next reset: reset it when idle");
  if (retiredPages.pending === true)
    reasons.push("a memory page is retired at the next reset: reset it when idle");
  if (ecc.repairPending === true) reasons.push("a hardware repair is pending: reset it when idle");
  if (hasUncorrectable(ecc) && recoveryAction === "None") {
    reasons.push(
      `${ecc.volatileUncorrectable} uncorrectable memory errors since the driver was loaded; it asks for no recovery`,
    );
  }
  if (mig.mode !== mig.pendingMode)
    reasons.push(`MIG is ${mig.pendingMode} after the next reset: reset it when idle`);
  return reasons;
}

function limitedReasons({ fabric, slowdowns }: HealthFacts): readonly string[] {
  const reasons = slowdowns.map((name) => `it is slowed down by ${name}: check cooling and power supply`);
  if (fabric.summary === "Limited Capacity" || fabric.bandwidth === "Degraded") {
    reasons.push("its NVLink fabric runs at reduced bandwidth: see the log of nvidia-fabricmanager");
  }
  return reasons;
}

function unknownErrorReasons({ faults }: HealthFacts): readonly string[] {
  const paths = faults.filter(({ fault }) => fault === "Unknown Error").map(({ path }) => path);
  if (paths.length === 0) return [];
  const named = [...new Set(paths)].toSorted().slice(0, namedPathsMax).join(", ");
  return [`${paths.length} values read Unknown Error (${named}): look for Xid messages in the kernel log`];
}

const namedPathsMax = 4;

function hasUncorrectable(ecc: Ecc): boolean {
  return ecc.volatileUncorrectable !== null && ecc.volatileUncorrectable > 0;
}
