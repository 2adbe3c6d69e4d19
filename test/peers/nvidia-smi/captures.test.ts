import { describe, expect, it } from "vitest";
import { parseNvidiaSmiList } from "../../../daemon/hardware/nvidia-smi-parser/list.ts";
import { parseNvidiaSmiXml } from "../../../daemon/hardware/nvidia-smi-parser/parse-xml.ts";
import { parseTopologyMatrix } from "../../../daemon/hardware/nvidia-smi-parser/topology.ts";
import { readSample, samplesIn } from "./samples.ts";

const captures = samplesIn("captures");

describe.each(captures)("$file", ({ file, gpus: indexed }) => {
  const capture = readSample(file);
  const list = parseNvidiaSmiList(sectionOf(capture, "nvidia-smi -L"));

  it("lists the GPU and the MIG devices of the raw text", () => {
    const raw = sectionOf(capture, "nvidia-smi -L");
    expect(list.problems).toEqual([]);
    expect(list.gpus.map(({ uuid }) => uuid)).toEqual(raw.match(/GPU-[0-9a-f-]{36}/g));
    expect(list.gpus.map(({ name }) => name)).toEqual([indexed?.name]);
    const migs = list.gpus.flatMap(({ migDevices }) => migDevices);
    expect(migs.map(({ uuid }) => uuid)).toEqual(raw.match(/MIG-[0-9a-f-]{36}/g) ?? []);
    expect(migs.map(({ index }) => index)).toEqual(migs.map((_, i) => i));
  });

  it("was taken idle and under load, so the index counts its one GPU twice", () => {
    const attached = [...capture.matchAll(/^Attached GPUs\s+: (\d+)$/gm)].map(([, count]) => Number(count));
    expect(attached).toEqual([1, 1]);
    expect(indexed?.count).toBe(2);
    expect(list.gpus).toHaveLength(1);
  });

  it("holds a matrix as wide as the list is long", () => {
    const { devices, links, problems } = parseTopologyMatrix(sectionOf(capture, "nvidia-smi topo -m"));
    expect(problems).toEqual([]);
    expect(devices.map(({ name, kind }) => [name, kind])).toEqual([["GPU0", "gpu"]]);
    expect(links).toEqual([[{ kind: "self" }]]);
    expect(devices[0]?.cpuAffinity).toMatch(/^0-\d+$/);
    expect(devices[0]?.numaNode).toBe(0);
  });

  it("does not make the XML reader throw", () => {
    expect(parseNvidiaSmiXml(capture).problems.join()).toContain("cannot be used");
  });
});

describe("the captures", () => {
  it("are six, one of them with MIG devices of three sizes", () => {
    expect(captures).toHaveLength(6);
    const mig = captures.find(({ file }) => file.includes("h100-mig"));
    const list = parseNvidiaSmiList(sectionOf(readSample(mig?.file ?? ""), "nvidia-smi -L"));
    expect(list.gpus[0]?.migDevices.map(({ profile }) => profile)).toEqual([
      "3g.40gb",
      "2g.20gb",
      "1g.10gb",
      "1g.10gb",
    ]);
  });
});

/** What one command wrote, from a capture whose sections are headed by `# $ COMMAND` and a line of `#`. */
function sectionOf(capture: string, command: string): string {
  const heading = `# $ ${command}\n`;
  const start = capture.indexOf(heading);
  if (start === -1) throw new Error(`the capture has no section of ${command}`);
  const body = capture.slice(capture.indexOf("\n", start + heading.length) + 1);
  return body.slice(0, body.search(/^#{20}/m));
}
