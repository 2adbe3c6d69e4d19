import type { Part } from "../model/job.ts";
import { ranksOfPart } from "../model/ranks.ts";
import { hostOf, partAt } from "./gang.ts";
import type { LaunchFile, LaunchInput } from "./launch-input.ts";
import { layoutOf } from "./layout.ts";

/**
 * MPI over the mesh: `mpirun` runs on the head alone and starts its daemons on the other nodes by `gpumesh-rsh`.
 * Those get that node's own environment from its gpumesh daemon, so nothing is forwarded with `-x`: GPUs, interfaces
 * and folders differ between nodes. Open MPI 4 reads OMPI_MCA_*, Open MPI 5 PRTE_MCA_* too, MPICH HYDRA_*, Intel MPI
 * I_MPI_*; each ignores the others'.
 */

/** Never resolves (RFC 6761), so mpirun can not take the name for one of its own machine's. */
const aliasSuffix = ".gpumesh.invalid";

/**
 * The names by which mpirun knows the parts' nodes. The head goes by its own hostname: mpirun starts local ranks
 * itself only for that. The others go by their node names, or by an alias where mpirun would read the node's name as
 * its own.
 */
export function hostNames(parts: readonly Part[]): readonly string[] {
  const own = (parts[0]?.hostname ?? "").toLowerCase();
  const ownNames: ReadonlySet<string> = new Set([own, own.split(".")[0] ?? own, "localhost"]);
  return parts.map((part, index) => {
    if (index === 0) return part.hostname;
    return ownNames.has(part.node.toLowerCase()) ? `${part.node}${aliasSuffix}` : part.node;
  });
}

/**
 * The part that mpirun, or a user's own one, means by a host: a name of `hostNames`, a node's name, or an address or
 * hostname that only one part has. Null when it is none of the gang's.
 */
export function partOfHost(parts: readonly Part[], host: string): number | null {
  const byName = hostNames(parts).indexOf(host);
  if (byName !== -1) return byName;
  const choices = [
    (part: Part) => part.node === host,
    (part: Part) => hostOf(part) === host,
    (part: Part) => part.hostname === host,
  ];
  for (const fits of choices) {
    const found = parts.flatMap((part, index) => (fits(part) ? [index] : []));
    if (found.length > 0) return found.length === 1 ? (found[0] ?? null) : null;
  }
  return null;
}

/** The host files: Open MPI's, and that of MPICH and Intel MPI. The first line is the head. */
export function hostFiles(input: LaunchInput): readonly LaunchFile[] {
  const layout = layoutOf(input);
  const hosts = hostNames(input.attempt.parts)
    .map((name, index) => ({ name, slots: slotsOf(input, index) }))
    .filter(({ slots }) => slots > 0);
  const file = (path: string, line: (name: string, slots: number) => string): LaunchFile => ({
    path,
    content: hosts.map(({ name, slots }) => `${line(name, slots)}\n`).join(""),
    mode: 0o644,
  });
  return [
    file(layout.hostFile, (name, slots) => `${name} slots=${slots}`),
    file(layout.mpichHostFile, (name, slots) => `${name}:${slots}`),
  ];
}

/** The part's ranks. What a custom toolkit starts is its own business: a process for each GPU, or each slot. */
function slotsOf({ spec, attempt }: LaunchInput, partIndex: number): number {
  if (spec.toolkit.kind !== "customToolkit") return ranksOfPart(spec, partIndex).count;
  const { gpus, slots } = partAt(attempt, partIndex);
  return Math.max(1, gpus.length > 0 ? gpus.length : slots);
}

/** Settings that a user's own variables of the same names override. */
export function mpiEnvironment(input: LaunchInput): Readonly<Record<string, string>> {
  const { rshProgram } = input.paths;
  const { parts } = input.attempt;
  const { hostFile, mpichHostFile } = layoutOf(input);
  return {
    OMPI_MCA_plm_rsh_agent: rshProgram,
    PRTE_MCA_plm_ssh_agent: rshProgram,
    OMPI_MCA_orte_default_hostfile: hostFile,
    PRTE_MCA_prte_default_hostfile: hostFile,
    OMPI_MCA_orte_keep_fqdn_hostnames: "1",
    // A flat tree, all of it started at once: every daemon is mpirun's own child, and its loss is seen there.
    OMPI_MCA_routed_radix: String(Math.max(radixDefault, parts.length)),
    OMPI_MCA_plm_rsh_num_concurrent: String(Math.max(concurrentDefault, parts.length)),
    OMPI_MCA_pml: "ob1",
    OMPI_MCA_btl: "^openib",
    // Needs a capability that containers lack.
    OMPI_MCA_btl_vader_single_copy_mechanism: "none",
    OMPI_ALLOW_RUN_AS_ROOT: "1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
    HYDRA_LAUNCHER: "ssh",
    HYDRA_LAUNCHER_EXEC: rshProgram,
    HYDRA_HOST_FILE: mpichHostFile,
    I_MPI_HYDRA_BOOTSTRAP: "ssh",
    I_MPI_HYDRA_BOOTSTRAP_EXEC: rshProgram,
    I_MPI_HYDRA_HOST_FILE: mpichHostFile,
    ...interfaceSettings(parts, partAt(input.attempt, input.partIndex)),
    ...(shareMachine(parts) ? sharedMachineSettings : {}),
  };
}

/**
 * For nodes that are one machine. Open MPI names its shared memory segments by host name and rank on the node, so their
 * ranks would take each other's; and ranks that wait by spinning would hold the cores that the others need.
 */
const sharedMachineSettings = { OMPI_MCA_btl: "^openib,vader", OMPI_MCA_mpi_yield_when_idle: "1" };

/** True where several nodes of the gang are one machine, as in a development mesh. */
function shareMachine(parts: readonly Part[]): boolean {
  return new Set(parts.map(({ hostname }) => hostname)).size < parts.length;
}

/** Open MPI's own defaults. */
const radixDefault = 64;
const concurrentDefault = 128;

/**
 * By subnet, for interface names differ between nodes; all of the gang's, for mpirun gives the head's settings to
 * every node. Open MPI knows IPv4 subnets only. Hydra takes a name, and asks for it on the head only.
 */
function interfaceSettings(parts: readonly Part[], part: Part): Readonly<Record<string, string>> {
  const hydra: Readonly<Record<string, string>> =
    part.network === null ? {} : { HYDRA_IFACE: part.network.name, I_MPI_HYDRA_IFACE: part.network.name };
  if (!parts.every(({ network }) => network !== null && !network.cidr.includes(":"))) return hydra;
  const subnets = [...new Set(parts.map(({ network }) => network?.cidr))].join(",");
  return {
    ...hydra,
    OMPI_MCA_oob_tcp_if_include: subnets,
    OMPI_MCA_btl_tcp_if_include: subnets,
    PRTE_MCA_prte_if_include: subnets,
  };
}

/**
 * The command that starts every rank. mpirun gives its own folder to all ranks, which another node may not have, so
 * each rank first goes to its node's; then its shell is replaced by that of the user's line.
 */
export function mpirunCommand(processCount: number, hostFile: string, line: string): readonly string[] {
  const options = [
    "-np",
    String(processCount),
    "--hostfile",
    hostFile,
    "-bind-to",
    "none",
    "-map-by",
    "slot",
  ];
  const rank = ["/bin/sh", "-c", 'cd "$GPUMESH_WORKING_DIRECTORY" && exec /bin/sh -c "$1"', "rank", line];
  return ["mpirun", ...options, ...rank];
}
