/** What `nvidia-smi -q -x` said, read into a typed model. Values that the driver does not give are null, never 0. */
export interface NvidiaSmiReport {
  readonly driver: string | null;
  /** Highest CUDA version the driver supports, e.g. `13.0`; null before driver 410. */
  readonly cudaVersion: string | null;
  /** In PCI bus order, which is the order of `index` and not always that of the document. */
  readonly gpus: readonly ParsedGpu[];
  /** What could not be read, in words for an operator; at most `problemsMax`. */
  readonly problems: readonly string[];
}

export interface ParsedGpu {
  /**
   * Rank in PCI bus order among all GPUs of the document, from 0: the index that CUDA uses under
   * `CUDA_DEVICE_ORDER=PCI_BUS_ID`. A GPU that could not be read keeps its rank, so the others do not shift.
   */
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  /** Total frame buffer. */
  readonly memoryMiB: number | null;
  readonly memoryUsedMiB: number | null;
  /** `DDDDDDDD:BB:DD.F` in upper-case hexadecimal; the empty string where the document names none. */
  readonly pciBusId: string;
  /** N of `/dev/nvidiaN`; null on Windows. It need not equal `index`. */
  readonly minorNumber: number | null;
  readonly mig: Mig;
  readonly ecc: Ecc;
  readonly remappedRows: RemappedRows;
  readonly retiredPages: RetiredPages;
  /**
   * What the driver asks for to heal this GPU: `None`, `Reset`, `Reboot`, `Drain P2P`, `Drain and Reset`. Drivers
   * before 570 say it in `gpu_reset_status`; null where neither is given.
   */
  readonly recoveryAction: string | null;
  readonly fabric: Fabric;
  /** Hardware slowdowns active at the time of the reading, e.g. `hw_thermal_slowdown`. */
  readonly slowdowns: readonly string[];
  /** Null on a GPU in MIG mode. */
  readonly utilization: { readonly gpuPercent: number | null; readonly memoryPercent: number | null };
  readonly temperature: { readonly gpuC: number | null; readonly memoryC: number | null };
  readonly power: { readonly drawW: number | null; readonly limitW: number | null };
  readonly processes: readonly GpuProcess[];
  readonly health: GpuHealth;
}

export type MigMode = "enabled" | "disabled" | "unsupported";

export interface Mig {
  readonly mode: MigMode;
  /** The mode after the next reset. */
  readonly pendingMode: MigMode;
  readonly devices: readonly MigDevice[];
}

export interface MigDevice {
  readonly gpuInstanceId: number;
  readonly computeInstanceId: number;
  /** Device index on its GPU; with the GPU's uuid the key that `nvidia-smi -L` uses too. */
  readonly index: number;
  readonly memoryMiB: number | null;
  /** The XML holds no MIG uuid: null until joined with `nvidia-smi -L`. */
  readonly uuid: string | null;
}

/** Error counts: volatile ones since the driver was loaded, aggregate ones over the life of the GPU. */
export interface Ecc {
  readonly enabled: boolean | null;
  readonly volatileCorrectable: number | null;
  readonly volatileUncorrectable: number | null;
  readonly aggregateCorrectable: number | null;
  readonly aggregateUncorrectable: number | null;
  readonly sramThresholdExceeded: boolean | null;
  readonly unrepairableMemory: boolean | null;
  /** A memory channel or a TPC is repaired at the next reset. */
  readonly repairPending: boolean | null;
}

export interface RemappedRows {
  readonly correctable: number | null;
  readonly uncorrectable: number | null;
  readonly pending: boolean | null;
  readonly failure: boolean | null;
}

export interface RetiredPages {
  readonly singleBit: number | null;
  readonly doubleBit: number | null;
  readonly pending: boolean | null;
}

/** State of the NVLink fabric of an NVSwitch machine; all null elsewhere. */
export interface Fabric {
  readonly state: string | null;
  readonly status: string | null;
  /** `Healthy`, `Unhealthy` or `Limited Capacity`. */
  readonly summary: string | null;
  readonly bandwidth: string | null;
  readonly routeUnhealthy: boolean | null;
}

export interface GpuProcess {
  readonly pid: number;
  readonly name: string;
  readonly type: "compute" | "graphics" | "both" | "unknown";
  readonly usedMemoryMiB: number | null;
}

/**
 * `healthy`: nothing to say. `degraded`: jobs may run, and an operator should act as the reasons say. `unhealthy`: no
 * job may be placed on it.
 */
export interface GpuHealth {
  readonly verdict: "healthy" | "degraded" | "unhealthy";
  readonly reasons: readonly string[];
}

/** Bounds of what one document may hold. An 8-GPU B200 machine writes about 360,000 characters. */
export const reportLimits = {
  xmlCharsMax: 8 * 1024 * 1024,
  gpusMax: 64,
  migDevicesMax: 64,
  processesMax: 4096,
  problemsMax: 64,
  wordCharsMax: 256,
} as const;
