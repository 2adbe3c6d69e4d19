import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTopologyMatrix } from "./topology.ts";

const matrix = [
  "\t\u001b[4mGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\u001b[0m",
  "GPU0\t X \tNV12\tPIX\t0-23,48-71\t0\t\tN/A",
  "GPU1\tNV12\t X \tSYS\t24-47\t0-1\t\tN/A",
  "NIC0\tPIX\tSYS\t X ",
  "",
  "Legend:",
  "",
  "  X    = Self",
  "",
  "NIC Legend:",
  "",
  "  NIC0: mlx5_1",
  "",
].join("\n");

describe("parseTopologyMatrix", () => {
  it("reads devices, links and the adapter legend", () => {
    expect(parseTopologyMatrix(matrix)).toEqual({
      devices: [
        { kind: "gpu", name: "GPU0", adapter: null, cpuAffinity: "0-23,48-71", numaNode: 0 },
        { kind: "gpu", name: "GPU1", adapter: null, cpuAffinity: "24-47", numaNode: null },
        { kind: "nic", name: "NIC0", adapter: "mlx5_1", cpuAffinity: null, numaNode: null },
      ],
      links: [
        [{ kind: "self" }, { kind: "nvlink", count: 12 }, { kind: "pix" }],
        [{ kind: "nvlink", count: 12 }, { kind: "self" }, { kind: "sys" }],
        [{ kind: "pix" }, { kind: "sys" }, { kind: "self" }],
      ],
      problems: [],
    });
  });

  it("reads a matrix aligned with spaces", () => {
    const { devices, links, problems } = parseTopologyMatrix(
      [
        "        GPU0    GPU1    CPU Affinity    NUMA Affinity",
        "GPU0     X      PHB     0-11            N/A",
        "GPU1    PHB      X      0-11            N/A",
      ].join("\n"),
    );
    expect(devices.map(({ name, cpuAffinity, numaNode }) => [name, cpuAffinity, numaNode])).toEqual([
      ["GPU0", "0-11", null],
      ["GPU1", "0-11", null],
    ]);
    expect(links[0]).toEqual([{ kind: "self" }, { kind: "phb" }]);
    expect(problems).toEqual([]);
  });

  it("names what is missing, unknown or contradictory", () => {
    const problemsOf = (from: string, to: string) => parseTopologyMatrix(matrix.replace(from, to)).problems;
    expect(problemsOf("NIC0\tPIX\tSYS\t X \n", "")).toContain("NIC0 has a column but no row");
    expect(problemsOf("NV12\tPIX", "C2C9\tPIX")).toContain('the link of GPU0 and GPU1 reads "C2C9"');
    expect(problemsOf("GPU1\tNV12", "GPU1\tNV6")).toContain("the link of GPU0 and GPU1 differs by direction");
    expect(problemsOf("GPU0\t X ", "GPU0\tPIX")).toContain("the diagonal is broken at GPU0 and GPU0");
    expect(parseTopologyMatrix("No devices were found").problems.join()).toContain("no matrix");
  });

  it("never throws and is always square", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(matrix.length), fc.nat(40), (text, at, cut) => {
        const { devices, links } = parseTopologyMatrix(matrix.slice(0, at) + text + matrix.slice(at + cut));
        expect(links).toHaveLength(devices.length);
        for (const row of links) expect(row).toHaveLength(devices.length);
      }),
    );
  });
});
