import type { JobSpec } from "../model/job.ts";

/** `3 GPUs`, `1 GPU`. The word is given in the singular. */
export function count(amount: number, word: string): string {
  return `${amount} ${word}${amount === 1 ? "" : "s"}`;
}

/** What the job asks of one node: `8 GPUs and 4 CPU slots`. `quality` stands before each word: `8 free GPUs`. */
export function describeShape({ shape }: Pick<JobSpec, "shape">, quality = ""): string {
  const wanted =
    shape.kind === "wholeNode"
      ? { gpus: shape.gpusAtLeast, slots: 0 }
      : { gpus: shape.gpus, slots: shape.slots };
  const parts: string[] = [];
  if (wanted.gpus > 0) parts.push(count(wanted.gpus, `${quality}GPU`));
  if (wanted.slots > 0) parts.push(count(wanted.slots, `${quality}CPU slot`));
  return parts.join(" and ");
}

/** What the job asks of the mesh: `2 nodes with 8 free GPUs each`, `1 whole node with at least 8 healthy GPUs`. */
export function describeDemand(spec: JobSpec): string {
  const whole = spec.shape.kind === "wholeNode";
  const nodes = count(spec.nodeCount, whole ? "whole node" : "node");
  const each = describeShape(spec, whole ? "healthy " : "free ");
  if (each === "") return nodes;
  return `${nodes} with ${whole ? "at least " : ""}${each}${spec.nodeCount === 1 ? "" : " each"}`;
}
