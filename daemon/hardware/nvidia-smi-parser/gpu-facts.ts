import { judgeHealth, type HealthFacts } from "./health.ts";
import { countOf, faultOf, flagOf, type LeafFault, quantityOf, wordOf } from "./leaf.ts";
import type {
  Ecc,
  Fabric,
  GpuProcess,
  Mig,
  MigDevice,
  MigMode,
  ParsedGpu,
  RemappedRows,
  RetiredPages,
} from "./report.ts";
import { reportLimits } from "./report.ts";
import { childOf, childrenOf, leafAt, leavesOf, type XmlNode } from "./xml-tree.ts";

/** Everything about a GPU but its rank, which only the whole document tells, and its identity. */
export type GpuFacts = Omit<ParsedGpu, "index" | "uuid">;

/** Reads one `<gpu>` element. Element names differ between drivers; the newest is looked up first. */
export function readGpuFacts(gpu: XmlNode, pciBusId: string): GpuFacts {
  const judged: HealthFacts = {
    pciBusId,
    mig: readMig(gpu),
    ecc: readEcc(gpu),
    remappedRows: readRemappedRows(gpu),
    retiredPages: readRetiredPages(gpu),
    recoveryAction: readRecoveryAction(gpu),
    fabric: readFabric(gpu),
    slowdowns: readSlowdowns(gpu),
    faults: readFaults(gpu),
  };
  const { faults: _, ...facts } = judged;
  return {
    ...facts,
    name: wordOf(leafAt(gpu, "product_name")) ?? "unknown GPU",
    memoryMiB: quantityOf(leafAt(gpu, "fb_memory_usage", "total"), "MiB"),
    memoryUsedMiB: quantityOf(leafAt(gpu, "fb_memory_usage", "used"), "MiB"),
    minorNumber: countOf(leafAt(gpu, "minor_number")),
    utilization: {
      gpuPercent: quantityOf(leafAt(gpu, "utilization", "gpu_util"), "%"),
      memoryPercent: quantityOf(leafAt(gpu, "utilization", "memory_util"), "%"),
    },
    temperature: {
      gpuC: quantityOf(leafAt(gpu, "temperature", "gpu_temp"), "C"),
      memoryC: quantityOf(leafAt(gpu, "temperature", "memory_temp"), "C"),
    },
    power: readPower(gpu),
    processes: readProcesses(gpu),
    health: judgeHealth(judged),
  };
}

function readMig(gpu: XmlNode): Mig {
  const devices = childrenOf(childOf(gpu, "mig_devices"), "mig_device")
    .map(readMigDevice)
    .filter((device) => device !== null)
    .slice(0, reportLimits.migDevicesMax);
  return {
    mode: migModeOf(leafAt(gpu, "mig_mode", "current_mig")),
    pendingMode: migModeOf(leafAt(gpu, "mig_mode", "pending_mig")),
    devices,
  };
}

function readMigDevice(device: XmlNode): MigDevice | null {
  const gpuInstanceId = countOf(leafAt(device, "gpu_instance_id"));
  const computeInstanceId = countOf(leafAt(device, "compute_instance_id"));
  const index = countOf(leafAt(device, "index"));
  if (gpuInstanceId === null || computeInstanceId === null || index === null) return null;
  const memoryMiB = quantityOf(leafAt(device, "fb_memory_usage", "total"), "MiB");
  return { gpuInstanceId, computeInstanceId, index, memoryMiB, uuid: null };
}

function migModeOf(text: string | null): MigMode {
  const enabled = flagOf(text);
  if (enabled === null) return "unsupported";
  return enabled ? "enabled" : "disabled";
}

function readEcc(gpu: XmlNode): Ecc {
  const errors = childOf(gpu, "ecc_errors");
  const now = childOf(errors, "volatile");
  const ever = childOf(errors, "aggregate");
  return {
    enabled: flagOf(leafAt(gpu, "ecc_mode", "current_ecc")),
    volatileCorrectable: correctableIn(now),
    volatileUncorrectable: uncorrectableIn(now),
    aggregateCorrectable: correctableIn(ever),
    aggregateUncorrectable: uncorrectableIn(ever),
    sramThresholdExceeded: flagOf(leafAt(ever, "sram_threshold_exceeded")),
    unrepairableMemory: flagOf(leafAt(errors, "unrepairable_memory")),
    repairPending: eitherFlag(leafAt(errors, "channel_repair_pending"), leafAt(errors, "tpc_repair_pending")),
  };
}

/** Up to Volta errors are counted as single and double bit, since Turing as correctable and uncorrectable. */
function correctableIn(counts: XmlNode | null): number | null {
  return (
    sumOf(counts, ["sram_correctable", "dram_correctable"]) ?? countOf(leafAt(counts, "single_bit", "total"))
  );
}

/** Since driver 545 the uncorrectable SRAM errors are split into parity and SEC-DED ones. */
function uncorrectableIn(counts: XmlNode | null): number | null {
  const names = [
    "sram_uncorrectable",
    "sram_uncorrectable_parity",
    "sram_uncorrectable_secded",
    "dram_uncorrectable",
  ];
  return sumOf(counts, names) ?? countOf(leafAt(counts, "double_bit", "total"));
}

function sumOf(counts: XmlNode | null, names: readonly string[]): number | null {
  const known = names.map((name) => countOf(leafAt(counts, name))).filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0);
}

function readRemappedRows(gpu: XmlNode): RemappedRows {
  const rows = childOf(gpu, "remapped_rows");
  return {
    correctable: countOf(leafAt(rows, "remapped_row_corr")),
    uncorrectable: countOf(leafAt(rows, "remapped_row_unc")),
    pending: flagOf(leafAt(rows, "remapped_row_pending")),
    failure: flagOf(leafAt(rows, "remapped_row_failure")),
  };
}

function readRetiredPages(gpu: XmlNode): RetiredPages {
  const pages = childOf(gpu, "retired_pages");
  return {
    singleBit: countOf(leafAt(pages, "multiple_single_bit_retirement", "retired_count")),
    doubleBit: countOf(leafAt(pages, "double_bit_retirement", "retired_count")),
    pending: eitherFlag(leafAt(pages, "pending_retirement"), leafAt(pages, "pending_blacklist")),
  };
}

function readRecoveryAction(gpu: XmlNode): string | null {
  const action = wordOf(leafAt(gpu, "gpu_recovery_action"));
  if (action !== null) return action;
  if (flagOf(leafAt(gpu, "gpu_reset_status", "reset_required")) === true) return "Reset";
  if (flagOf(leafAt(gpu, "gpu_reset_status", "drain_and_reset_recommended")) === true)
    return "Drain and Reset";
  return null;
}

function readFabric(gpu: XmlNode): Fabric {
  const fabric = childOf(gpu, "fabric");
  return {
    state: wordOf(leafAt(fabric, "state")),
    status: wordOf(leafAt(fabric, "status")),
    summary: wordOf(leafAt(fabric, "health", "summary")),
    bandwidth: wordOf(leafAt(fabric, "health", "bandwidth")),
    routeUnhealthy: flagOf(leafAt(fabric, "health", "route_unhealthy")),
  };
}

/** Software slowdowns and power caps are normal operation; only what the hardware forces counts here. */
function readSlowdowns(gpu: XmlNode): readonly string[] {
  return ["hw_thermal_slowdown", "hw_power_brake_slowdown"].filter(
    (name) =>
      flagOf(leafAt(gpu, "clocks_event_reasons", `clocks_event_reason_${name}`)) === true ||
      flagOf(leafAt(gpu, "clocks_throttle_reasons", `clocks_throttle_reason_${name}`)) === true,
  );
}

/** Names of processes are chosen by users, so they are no evidence about the GPU. */
const notEvidence: ReadonlySet<string> = new Set(["processes", "accounted_processes"]);

function readFaults(gpu: XmlNode): HealthFacts["faults"] {
  const faults: { path: string; fault: LeafFault }[] = [];
  for (const { path, text } of leavesOf(gpu, notEvidence)) {
    const fault = faultOf(text);
    if (fault !== null) faults.push({ path, fault });
  }
  return faults;
}

/** `power_readings` up to driver 525, `gpu_power_readings` since 535; the draw's name changed as well. */
function readPower(gpu: XmlNode): ParsedGpu["power"] {
  const readings = childOf(gpu, "gpu_power_readings") ?? childOf(gpu, "power_readings");
  const watts = (names: readonly string[]): number | null => {
    for (const name of names) {
      const value = quantityOf(leafAt(readings, name), "W");
      if (value !== null) return value;
    }
    return null;
  };
  return {
    drawW: watts(["average_power_draw", "instant_power_draw", "power_draw"]),
    limitW: watts(["current_power_limit", "enforced_power_limit", "power_limit"]),
  };
}

function readProcesses(gpu: XmlNode): readonly GpuProcess[] {
  const processes: GpuProcess[] = [];
  for (const info of childrenOf(childOf(gpu, "processes"), "process_info")) {
    const pid = countOf(leafAt(info, "pid"));
    if (pid === null || processes.length === reportLimits.processesMax) continue;
    processes.push({
      pid,
      name: (leafAt(info, "process_name") ?? "").slice(0, reportLimits.wordCharsMax),
      type: processTypeOf(leafAt(info, "type")),
      usedMemoryMiB: quantityOf(leafAt(info, "used_memory"), "MiB"),
    });
  }
  return processes;
}

function processTypeOf(text: string | null): GpuProcess["type"] {
  switch (text) {
    case "C":
    case "M+C":
      return "compute";
    case "G":
      return "graphics";
    case "C+G":
      return "both";
    default:
      return "unknown";
  }
}

function eitherFlag(first: string | null, second: string | null): boolean | null {
  const flags = [flagOf(first), flagOf(second)];
  if (flags.includes(true)) return true;
  return flags.includes(false) ? false : null;
}
