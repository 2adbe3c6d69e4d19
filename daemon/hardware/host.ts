import { availableParallelism, hostname, type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { subnetOf } from "./interfaces.ts";

export interface HostFacts {
  readonly hostname: string;
  /** CPUs this process may use: what affinity and cgroup quota leave of those of the machine. */
  readonly cpus: number;
  /** E.g. `AMD EPYC`; null where the processor does not say. */
  readonly cpuModel: string | null;
  /** Memory of the machine, or of the container this process runs in where that has a limit. */
  readonly memoryMiB: number;
  /** One entry for each address of each running interface, at most `interfacesMax`. */
  readonly interfaces: readonly HostInterface[];
}

export interface HostInterface {
  readonly name: string;
  /** IPv4 or IPv6, without zone. */
  readonly address: string;
  /** The subnet, e.g. `10.0.0.0/24`. */
  readonly cidr: string;
  /** Null where the driver does not say, as for loopback and most virtual adapters. */
  readonly speedMbps: number | null;
  readonly up: boolean;
  /** A bridge, container pair or tunnel rather than an adapter. */
  readonly virtual: boolean;
}

export const hostLimits = { interfacesMax: 256 } as const;

/**
 * Reads what this machine is, GPUs aside. Addresses come from the operating system, because systeminformation knows
 * only one of each family for an interface; speed, state and kind come from systeminformation.
 */
export async function readHost(): Promise<HostFacts> {
  // Loaded on the first call: the package is large, and most commands never ask about the host.
  const { default: system } = await import("systeminformation");
  const [cpu, memory, adapters] = await Promise.all([system.cpu(), system.mem(), system.networkInterfaces()]);
  return {
    hostname: hostname(),
    cpus: availableParallelism(),
    cpuModel: `${cpu.manufacturer} ${cpu.brand}`.trim() || null,
    memoryMiB: Math.floor(Math.min(memory.total, memoryLimitBytes()) / (1024 * 1024)),
    interfaces: interfacesOf(networkInterfaces(), adaptersByName(adapters)),
  };
}

/** The facts of systeminformation that are used here. */
interface Adapter {
  readonly speed: number | null;
  readonly operstate: string;
  readonly virtual: boolean;
}

/** Joins the addresses of the operating system with the facts of each adapter. */
export function interfacesOf(
  addresses: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
  adapters: ReadonlyMap<string, Adapter>,
): readonly HostInterface[] {
  const interfaces: HostInterface[] = [];
  for (const [name, infos] of Object.entries(addresses)) {
    const adapter = adapters.get(name);
    for (const { address, cidr } of infos ?? []) {
      const subnet = cidr === null ? null : subnetOf(address, Number(cidr.slice(cidr.indexOf("/") + 1)));
      if (subnet === null || interfaces.length === hostLimits.interfacesMax) continue;
      const speed = adapter?.speed ?? null;
      interfaces.push({
        name,
        address,
        cidr: subnet,
        speedMbps: speed !== null && speed > 0 ? speed : null,
        // Loopback and tunnels have no carrier: their state stays unknown while they work.
        up: adapter === undefined || adapter.operstate === "up" || adapter.operstate === "unknown",
        virtual: adapter?.virtual ?? false,
      });
    }
  }
  return interfaces;
}

function adaptersByName(
  adapters: (Adapter & { readonly iface: string }) | readonly (Adapter & { readonly iface: string })[],
): ReadonlyMap<string, Adapter> {
  const list = "iface" in adapters ? [adapters] : adapters;
  return new Map(list.map((adapter) => [adapter.iface, adapter]));
}

/** The cgroup limit; Node gives 0 when it knows none and a number beyond all memory when there is none. */
function memoryLimitBytes(): number {
  return process.constrainedMemory() || Number.POSITIVE_INFINITY;
}
