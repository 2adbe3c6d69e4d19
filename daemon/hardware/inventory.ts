import type { Gpu, Inventory, NetworkInterface } from "../../scheduler/model/inventory.ts";
import { type HostInterface, readHost } from "./host.ts";
import { isLinkLocalV6 } from "./interfaces.ts";
import type { ParsedGpu } from "./nvidia-smi-parser/report.ts";
import { type GpuReading, readGpus, type ReadGpusOptions } from "./nvidia-smi.ts";

export interface ReadInventoryOptions extends ReadGpusOptions {
  /** CPU slots to offer to jobs; as many as CPUs by default. */
  readonly slots?: number | undefined;
}

export interface InventoryReading {
  readonly inventory: Inventory;
  /** What could not be read and what to do about it, in words for an operator. */
  readonly problems: readonly string[];
}

/**
 * Reads what this machine offers to jobs. A GPU on which no job may run, or that is split into MIG
 * devices, is listed with `healthy: false`. When the
 * GPUs cannot be read, none are listed and `problems` says why: the rest of the machine stays of use.
 */
export async function readInventory(options: ReadInventoryOptions): Promise<InventoryReading> {
  const [host, reading] = await Promise.all([readHost(), readGpus(options)]);
  const { driver, gpus, problems } = gpuInventoryOf(reading);
  const inventory: Inventory = {
    hostname: host.hostname,
    cpus: host.cpus,
    memoryMiB: host.memoryMiB,
    slots: options.slots ?? host.cpus,
    gpus,
    interfaces: host.interfaces.filter(({ address }) => !isLinkLocalV6(address)).map(networkInterfaceOf),
    driver,
  };
  return { inventory, problems };
}

/** The part of the inventory that a reading of the GPUs gives. */
export function gpuInventoryOf(reading: GpuReading): {
  readonly driver: string | null;
  readonly gpus: readonly Gpu[];
  readonly problems: readonly string[];
} {
  switch (reading.kind) {
    case "none":
      return { driver: null, gpus: [], problems: [] };
    case "failed":
      return {
        driver: null,
        gpus: [],
        problems: [`GPUs are not offered: ${reading.reason}; ${reading.nextStep}`],
      };
    case "gpus":
      return {
        driver: reading.report.driver,
        gpus: reading.report.gpus.map(gpuOf),
        problems: reading.report.problems,
      };
  }
}

function gpuOf({ uuid, index, name, memoryMiB, pciBusId, mig, health }: ParsedGpu): Gpu {
  // CUDA would silently give a job only the first instance of a split GPU, so it is never offered as a whole one.
  const split =
    mig.mode === "enabled"
      ? [
          `it is in MIG mode with ${mig.devices.length} devices: run nvidia-smi -i ${pciBusId} -mig 0 to offer it whole`,
        ]
      : [];
  return {
    uuid,
    index,
    name,
    memoryMiB,
    pciBusId,
    healthy: health.verdict !== "unhealthy" && split.length === 0,
    reasons: [...health.reasons, ...split],
  };
}

function networkInterfaceOf({ name, address, cidr, speedMbps, up }: HostInterface): NetworkInterface {
  return { name, address, cidr, speedMbps, up };
}
