import type { NvidiaSmiReport, ParsedGpu } from "./report.ts";
import { reportLimits } from "./report.ts";

/** What `nvidia-smi -L` said. */
export interface NvidiaSmiList {
  readonly gpus: readonly ListedGpu[];
  readonly problems: readonly string[];
}

export interface ListedGpu {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  readonly migDevices: readonly ListedMigDevice[];
}

export interface ListedMigDevice {
  /** Device index on its GPU. */
  readonly index: number;
  /** `MIG-<uuid>` since driver R470, `MIG-GPU-<uuid>/<gi>/<ci>` before. */
  readonly uuid: string;
  /** E.g. `3g.40gb`. */
  readonly profile: string;
}

/**
 * Reads the output of `nvidia-smi -L`: one line a GPU, and below it one indented line for each of its MIG devices.
 * Lines of another form, such as "Unable to determine the device handle", become problems. Never throws.
 */
export function parseNvidiaSmiList(text: string): NvidiaSmiList {
  const gpus: { index: number; uuid: string; name: string; migDevices: ListedMigDevice[] }[] = [];
  const problems: string[] = [];
  for (const line of text.slice(0, listCharsMax).split(/\r?\n/)) {
    const gpu = gpuLine.exec(line);
    const mig = migLine.exec(line);
    const parent = gpus.at(-1);
    if (gpu !== null) {
      const [, index = "", name = "", uuid = ""] = gpu;
      gpus.push({ index: Number(index), uuid, name, migDevices: [] });
    } else if (mig !== null && parent !== undefined) {
      const [, profile = "", index = "", uuid = ""] = mig;
      parent.migDevices.push({ index: Number(index), uuid, profile });
    } else if (line.trim() !== "" && problems.length < reportLimits.problemsMax) {
      problems.push(`nvidia-smi -L says: ${line.trim().slice(0, reportLimits.wordCharsMax)}`);
    }
  }
  return { gpus, problems };
}

/**
 * Gives each MIG device of the report the uuid that `nvidia-smi -L` lists for it, joined on (GPU uuid, device index).
 * A device that the list does not hold keeps null and becomes a problem: no job could be given it.
 */
export function joinMigUuids(report: NvidiaSmiReport, list: NvidiaSmiList): NvidiaSmiReport {
  const problems = [...report.problems, ...list.problems];
  const gpus = report.gpus.map((gpu): ParsedGpu => {
    const listed = list.gpus.find(({ uuid }) => uuid === gpu.uuid)?.migDevices ?? [];
    const devices = gpu.mig.devices.map((device) => {
      const uuid = listed.find(({ index }) => index === device.index)?.uuid ?? null;
      if (uuid === null)
        problems.push(`MIG device ${device.index} of ${gpu.uuid} is not in nvidia-smi -L: it has no uuid`);
      return { ...device, uuid };
    });
    return { ...gpu, mig: { ...gpu.mig, devices } };
  });
  return { ...report, gpus, problems: problems.slice(0, reportLimits.problemsMax) };
}

const listCharsMax = 1024 * 1024;
const gpuLine = /^GPU (\d{1,4}): (.{1,256}?) \(UUID: (GPU-[0-9A-Fa-f-]{8,64})\)\s*$/;
const migLine = /^\s+MIG (\S{1,64})\s+Device\s+(\d{1,4}): \(UUID: (MIG-[0-9A-Za-z/-]{8,96})\)\s*$/;
