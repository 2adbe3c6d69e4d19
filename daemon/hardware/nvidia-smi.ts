import { joinMigUuids, parseNvidiaSmiList } from "./nvidia-smi-parser/list.ts";
import { parseNvidiaSmiXml } from "./nvidia-smi-parser/parse-xml.ts";
import type { NvidiaSmiReport } from "./nvidia-smi-parser/report.ts";
import { parseTopologyMatrix, type TopologyMatrix } from "./nvidia-smi-parser/topology.ts";
import { type CommandEnd, type CommandOptions, runCommand } from "./run-command.ts";

/** `timeoutMs` bounds each command. A healthy machine answers in about a second, a sick driver never. */
export type ReadGpusOptions = CommandOptions;

export type GpuReading =
  /** This machine has no NVIDIA GPU to offer, which is no fault. */
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "gpus"; readonly report: NvidiaSmiReport }
  | Failure;

export type TopologyReading =
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "topology"; readonly matrix: TopologyMatrix }
  | Failure;

/** `exitCode` is null when the command did not end by itself or its output was unusable. */
interface Failure {
  readonly kind: "failed";
  readonly exitCode: number | null;
  readonly reason: string;
  readonly nextStep: string;
}

/**
 * Reads the GPUs of this machine with `nvidia-smi -q -x`, and with `nvidia-smi -L` where a GPU is split into MIG
 * devices, because only the list holds their uuids. Never rejects.
 */
export async function readGpus(options: ReadGpusOptions): Promise<GpuReading> {
  const end = outcomeOf(await runCommand("nvidia-smi", ["-q", "-x"], options));
  if (end.kind !== "output") return end;

  const report = withWarning(parseNvidiaSmiXml(end.stdout), end.exitCode);
  if (report.gpus.length === 0) return withoutGpus(report, end);
  if (report.gpus.every((gpu) => gpu.mig.devices.length === 0)) return { kind: "gpus", report };

  const list = outcomeOf(await runCommand("nvidia-smi", ["-L"], options));
  return {
    kind: "gpus",
    report: joinMigUuids(report, parseNvidiaSmiList(list.kind === "output" ? list.stdout : "")),
  };
}

/** Reads how the GPUs and network adapters of this machine are connected, with `nvidia-smi topo -m`. Never rejects. */
export async function readTopology(options: ReadGpusOptions): Promise<TopologyReading> {
  const end = outcomeOf(await runCommand("nvidia-smi", ["topo", "-m"], options));
  if (end.kind !== "output") return end;
  const matrix = parseTopologyMatrix(end.stdout);
  if (matrix.devices.length > 0) return { kind: "topology", matrix };
  return failed(
    end.exitCode,
    matrix.problems[0] ?? "nvidia-smi topo -m printed no matrix",
    "run nvidia-smi topo -m by hand",
  );
}

interface Output {
  readonly kind: "output";
  readonly exitCode: number;
  readonly stdout: string;
}

/**
 * Whether an output is used. Exit code 14 only warns of a corrupt infoROM. With 15 and 16 one GPU is lost or needs a
 * reset: where a complete document still came, it says so of that GPU, and the others work on.
 */
function isUsable(exitCode: number, stdout: string): boolean {
  if (exitCode === 0 || exitCode === 14) return true;
  return (exitCode === 15 || exitCode === 16) && stdout.includes("</nvidia_smi_log>");
}

function outcomeOf(end: CommandEnd): Output | { readonly kind: "none"; readonly reason: string } | Failure {
  switch (end.kind) {
    case "absent":
      return { kind: "none", reason: "nvidia-smi is not on PATH, so this machine has no NVIDIA driver" };
    case "failed":
      return failed(
        null,
        `nvidia-smi gave no answer: ${end.reason}`,
        "look for Xid messages in the kernel log (dmesg) and processes in state D; reboot the node if it stays so",
      );
    case "exited": {
      if (end.exitCode === 6) return { kind: "none", reason: "nvidia-smi found no devices" };
      const said = `${end.stdout}\n${end.stderr}`;
      if (isUsable(end.exitCode, end.stdout))
        return { kind: "output", exitCode: end.exitCode, stdout: end.stdout };
      const { what, nextStep } = meaningOf(end.exitCode, said);
      return failed(
        end.exitCode,
        `nvidia-smi exited ${end.exitCode}, ${what}: ${firstLineOf(said)}`,
        nextStep,
      );
    }
  }
}

/** A document without a usable GPU: no fault if it says so itself, a failure if it could not be read. */
function withoutGpus(report: NvidiaSmiReport, end: Output): GpuReading {
  const [problem] = report.problems;
  if (problem === undefined) return { kind: "none", reason: "nvidia-smi found no devices" };
  return failed(
    end.exitCode,
    problem,
    "run nvidia-smi -q -x by hand and look for Xid messages in the kernel log",
  );
}

function withWarning(report: NvidiaSmiReport, exitCode: number): NvidiaSmiReport {
  if (exitCode === 0) return report;
  const { what, nextStep } = meaningOf(exitCode, "");
  const warning = `nvidia-smi exited ${exitCode}, ${what}: ${nextStep}`;
  return { ...report, problems: [warning, ...report.problems] };
}

function failed(exitCode: number | null, reason: string, nextStep: string): Failure {
  return { kind: "failed", exitCode, reason, nextStep };
}

interface Meaning {
  readonly what: string;
  readonly nextStep: string;
}

function meaningOf(exitCode: number, said: string): Meaning {
  const known = exitCodeMeanings.get(exitCode);
  if (known !== undefined) return known;
  if (said.includes("Failed to initialize NVML: Unknown Error")) {
    return {
      what: "this container has lost its GPU devices, mostly by systemctl daemon-reload",
      nextStep: "create the container again",
    };
  }
  return {
    what: "an unknown error",
    nextStep: "run nvidia-smi by hand and look for Xid messages in the kernel log",
  };
}

/** nvmlReturn_t as exit code, from the manual page of nvidia-smi, RETURN VALUE. */
const exitCodeMeanings: ReadonlyMap<number, Meaning> = new Map([
  [2, { what: "an argument is unknown to this driver", nextStep: "install driver 384 or newer" }],
  [
    3,
    {
      what: "the query is not supported on this device",
      nextStep: "check that the GPU is a supported model",
    },
  ],
  [
    4,
    { what: "no permission", nextStep: "run the daemon as root or give it /dev/nvidia* and /dev/nvidiactl" },
  ],
  [8, { what: "a power cable is not attached", nextStep: "attach the GPU's external power cables" }],
  [
    9,
    {
      what: "the NVIDIA driver is not loaded",
      nextStep: "install the driver or run modprobe nvidia, then reboot",
    },
  ],
  [
    10,
    {
      what: "a query timed out in the driver",
      nextStep: "look for Xid messages in the kernel log; reboot the node",
    },
  ],
  [11, { what: "the kernel found an interrupt issue with a GPU", nextStep: "see the kernel log (dmesg)" }],
  [
    12,
    {
      what: "the NVML library is missing",
      nextStep: "install the driver's libnvidia-ml.so.1 and run ldconfig",
    },
  ],
  [
    13,
    {
      what: "the NVML library is too old for nvidia-smi",
      nextStep: "install library and command of one release",
    },
  ],
  [14, { what: "the infoROM of a GPU is corrupt", nextStep: "plan to replace that GPU" }],
  [15, { what: "a GPU is lost from the bus", nextStep: "reboot the node, and replace the GPU if it recurs" }],
  [16, { what: "a GPU requires a reset", nextStep: "run nvidia-smi --gpu-reset, or reboot the node" }],
  [
    17,
    {
      what: "the operating system or a cgroup blocks the GPU",
      nextStep: "check the device rules of the daemon's unit",
    },
  ],
  [
    18,
    {
      what: "driver and library versions differ",
      nextStep: "reboot the node so that the upgraded driver is loaded",
    },
  ],
]);

function firstLineOf(text: string): string {
  const line = text.split("\n").find((candidate) => candidate.trim() !== "");
  return line === undefined ? "it wrote nothing" : line.trim().slice(0, 256);
}
