import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeFault } from "../model/fault.ts";
import type { JobSpec } from "../model/job.ts";
import { parseJobFile } from "./parse-job-file.ts";
import { toJobSpec } from "./to-job-spec.ts";

const folder = join(import.meta.dirname, "../../examples");

/** The kind of job that each of these shows. */
const kinds: Readonly<Record<string, JobSpec["toolkit"]["kind"]>> = {
  "custom-toolkit": "customToolkit",
  "hello-mpi": "customMpi",
  horovod: "horovod",
  "pytorch-gloo": "pyTorch",
};

const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  /(?:^|\/)job[^/]*\.(?:ya?ml|json)$/.test(name),
);

describe("the examples", () => {
  it("show each kind in both forms", () => {
    const both = Object.keys(kinds).flatMap((name) => [`${name}/job.yaml`, `${name}/job.json`]);
    expect(files).toEqual(expect.arrayContaining(both));
    for (const file of both) expect(specOf(file).toolkit.kind).toBe(kinds[file.split("/")[0] ?? ""]);
  });

  it.each(files)("%s may be submitted", (file) => {
    expect(specOf(file).nodeCount).toBeGreaterThan(0);
  });

  it.each(["hello-mpi", "horovod", "pytorch-gloo"])("%s has the same processes in both forms", (name) => {
    const [native, batchAi] = [specOf(`${name}/job.yaml`), specOf(`${name}/job.json`)];
    expect(batchAi.toolkit).toMatchObject({ processCount: processesOf(native) });
    expect(batchAi.nodeCount).toBe(native.nodeCount);
  });
});

function specOf(file: string): JobSpec {
  const parsed = parseJobFile(readFileSync(join(folder, file), "utf8"));
  if (parsed.kind === "faults") throw new Error(parsed.faults.map(describeFault).join("\n"));
  return toJobSpec(parsed.job);
}

function processesOf({ toolkit }: JobSpec): number {
  if (toolkit.kind === "customToolkit") throw new Error("A custom toolkit has no number of processes");
  return toolkit.processCount;
}
