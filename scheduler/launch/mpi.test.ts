import { describe, expect, it } from "vitest";
import { nodeId } from "../model/ids.ts";
import type { Part, Toolkit } from "../model/job.ts";
import { launchInput, network } from "./launch-scenario.ts";
import type { Scenario } from "./launch-scenario.ts";
import { hostFiles, hostNames, mpiEnvironment, partOfHost } from "./mpi.ts";

const mpi = (processCount: number): Toolkit => ({ kind: "customMpi", commandLine: "a.out", processCount });

function partsOf(...parts: readonly Partial<Part>[]): readonly Part[] {
  return launchInput({ toolkit: mpi(1), nodes: parts.length, parts }).attempt.parts;
}

describe("the names of hosts", () => {
  it("are the head's hostname and the others' node names", () => {
    expect(hostNames(partsOf({}, {}, {}))).toEqual(["host-n1", "n2", "n3"]);
  });

  it.each([
    ["vm", "vm"],
    ["VM.example.com", "vm"],
    ["host", "localhost"],
  ])("on head %j, node %j gets an alias that mpirun does not take for its own machine", (hostname, node) => {
    const parts = partsOf({ hostname }, { node: nodeId(node) });
    expect(hostNames(parts)).toEqual([hostname, `${node}.gpumesh.invalid`]);
    expect(partOfHost(parts, `${node}.gpumesh.invalid`)).toBe(1);
  });

  it("lead back to their parts", () => {
    const parts = partsOf({ hostname: "vm" }, { hostname: "vm" }, { hostname: "other" });
    expect(hostNames(parts).map((name) => partOfHost(parts, name))).toEqual([0, 1, 2]);
    expect(partOfHost(parts, "n1")).toBe(0);
    expect(partOfHost(parts, "10.0.0.5")).toBe(1);
    expect(partOfHost(parts, "other")).toBe(2);
    expect(partOfHost(parts, "elsewhere")).toBeNull();
  });

  it("lead nowhere when two parts have the same address", () => {
    const here = network("lo", "127.0.0.1", "127.0.0.0/8");
    expect(partOfHost(partsOf({ network: here }, { network: here }), "127.0.0.1")).toBeNull();
  });
});

describe("the host files", () => {
  const contents = (scenario: Scenario): readonly string[] =>
    hostFiles(launchInput(scenario)).map(({ content }) => content);

  it("give each node as many slots as it has ranks, and leave out those with none", () => {
    expect(contents({ toolkit: mpi(5), nodes: 3 })).toEqual([
      "host-n1 slots=2\nn2 slots=2\nn3 slots=1\n",
      "host-n1:2\nn2:2\nn3:1\n",
    ]);
    expect(contents({ toolkit: mpi(2), nodes: 3 })[0]).toBe("host-n1 slots=1\nn2 slots=1\n");
  });

  it("give a custom toolkit a slot for each GPU, or each CPU slot", () => {
    const toolkit: Toolkit = { kind: "customToolkit", commandLine: "x" };
    expect(contents({ toolkit, nodes: 2, gpusOnEach: 4 })[0]).toBe("host-n1 slots=4\nn2 slots=4\n");
    expect(contents({ toolkit, nodes: 2, parts: [{ slots: 0 }] })[0]).toBe("host-n1 slots=1\nn2 slots=8\n");
  });
});

describe("the settings of interfaces", () => {
  const settingsOf = (...parts: readonly Partial<Part>[]): Readonly<Record<string, string>> =>
    mpiEnvironment(launchInput({ toolkit: mpi(2), nodes: parts.length, parts }));

  it("name every subnet of the gang once", () => {
    const far = network("ens5", "10.1.0.9", "10.1.0.0/16");
    expect(settingsOf({}, {}, { network: far })).toMatchObject({
      OMPI_MCA_oob_tcp_if_include: "10.0.0.0/24,10.1.0.0/16",
      OMPI_MCA_btl_tcp_if_include: "10.0.0.0/24,10.1.0.0/16",
      PRTE_MCA_prte_if_include: "10.0.0.0/24,10.1.0.0/16",
      HYDRA_IFACE: "eth0",
    });
  });

  it("are left to MPI where a node's subnet is unknown, or of IPv6", () => {
    expect(settingsOf({}, { network: null })).not.toHaveProperty("OMPI_MCA_btl_tcp_if_include");
    const six = network("eth0", "fd00::2", "fd00::/64");
    expect(settingsOf({ network: six })).not.toHaveProperty("OMPI_MCA_btl_tcp_if_include");
  });
});

it("starts all daemons at once, however many", () => {
  expect(mpiEnvironment(launchInput({ toolkit: mpi(300), nodes: 300 }))).toMatchObject({
    OMPI_MCA_routed_radix: "300",
    OMPI_MCA_plm_rsh_num_concurrent: "300",
  });
});

describe("shared memory between ranks", () => {
  const btl = (...parts: readonly Partial<Part>[]): string | undefined =>
    mpiEnvironment(launchInput({ toolkit: mpi(2), nodes: parts.length, parts })).OMPI_MCA_btl;

  it("is left out where two nodes are one machine, whose segments would have the same names", () => {
    expect(btl({ hostname: "vm" }, { hostname: "vm" })).toBe("^openib,vader");
    expect(btl({}, {})).toBe("^openib");
  });
});
