/** What a node's machine has, as its daemon reads it. */
export interface Inventory {
  readonly hostname: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** CPU slots offered to jobs; the number of CPUs unless the operator set another. */
  readonly slots: number;
  /** In PCI bus order. Empty where the machine has no GPU. */
  readonly gpus: readonly Gpu[];
  readonly interfaces: readonly NetworkInterface[];
  /** Version of the GPU driver; null without one. */
  readonly driver: string | null;
}

export interface Gpu {
  readonly uuid: string;
  /** Rank in PCI bus order on its node, from 0. */
  readonly index: number;
  readonly name: string;
  readonly memoryMiB: number | null;
  readonly pciBusId: string;
  /** Only healthy GPUs are offered to jobs. */
  readonly healthy: boolean;
  readonly reasons: readonly string[];
}

export interface NetworkInterface {
  readonly name: string;
  readonly address: string;
  /** The subnet in CIDR form, e.g. `10.0.0.0/24`. */
  readonly cidr: string;
  readonly speedMbps: number | null;
  readonly up: boolean;
}
