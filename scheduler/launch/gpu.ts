import type { Part } from "../model/job.ts";

/**
 * Shows the part's GPUs to its processes, by uuid, and no others; an empty list hides all. The order by PCI bus makes
 * CUDA's numbers those of nvidia-smi.
 */
export function gpuEnvironment(part: Part): Readonly<Record<string, string>> {
  return { CUDA_VISIBLE_DEVICES: part.gpus.join(","), CUDA_DEVICE_ORDER: "PCI_BUS_ID" };
}
