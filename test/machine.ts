import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Need } from "./suites.ts";

export const repositoryRoot = join(import.meta.dirname, "..");

/** The real inputs that some suites read; not part of the repository. */
export const sharedData = join(repositoryRoot, "../shared/data");

/** The distribution's Python, which has its mpi4py and numpy; another python3 may stand before it on PATH. */
export const systemPython = "/usr/bin/python3";

/** Why this machine does not meet `need`, as a phrase that says what to do; undefined when it does. */
export function whyNot(need: Need): string | undefined {
  return probes[need]();
}

const probes: Readonly<Record<Need, () => string | undefined>> = {
  root: () => (process.getuid?.() === 0 ? undefined : "not root (run it with sudo)"),
  "network namespaces": () => {
    if (!works("ip", ["-V"])) return "no ip command (install iproute2)";
    return works("unshare", ["--net", "true"]) ? undefined : "network namespaces are not permitted here";
  },
  mpi: () => {
    if (!works("mpirun", ["--version"])) return "no mpirun (install openmpi-bin)";
    const hasModules = works(systemPython, ["-c", "import mpi4py, numpy"]);
    return hasModules
      ? undefined
      : `${systemPython} lacks mpi4py or numpy (install python3-mpi4py python3-numpy)`;
  },
  strace: () => (works("strace", ["-V"]) ? undefined : "no strace command (install strace)"),
  "shared data": () => (existsSync(sharedData) ? undefined : "no folder ../shared/data beside the checkout"),
};

function works(command: string, args: readonly string[]): boolean {
  const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return spawnSync(command, args, { stdio: "ignore", env: { ...process.env, PATH } }).status === 0;
}
