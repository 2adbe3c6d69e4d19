import type { Command } from "commander";
import type { Gpu, Node } from "../client/client.ts";
import { present, withMesh, type Bind } from "../cli.ts";
import { CliError, EXIT } from "../exit-code.ts";
import { facts, table } from "../output/table.ts";
import { instant } from "../output/times.ts";
import { keepAddresses } from "./keep-addresses.ts";

/** `gpumesh node list|show` */
export function addNodeCommands(program: Command, bind: Bind): void {
  const group = program.command("node").description("the machines of the mesh");

  bind(group.command("list").description("all nodes"), (cli, options) =>
    withMesh(cli, options, async (mesh, folder) => {
      const nodes = await mesh.nodes();
      await present(cli, options, { nodes }, () => table(TITLES, nodes.map(row)));
      await keepAddresses(cli, folder, nodes);
      return EXIT.ok;
    }),
  );

  const show = group.command("show").description("one node in full").argument("<name>", "the node's name");
  bind(show, (cli, options, [name]) =>
    withMesh(cli, options, async (mesh) => {
      const nodes = await mesh.nodes();
      const node = nodes.find((candidate) => candidate.name === name);
      if (node === undefined) {
        const known = nodes.slice(0, 20).map((candidate) => candidate.name);
        throw new CliError(`there is no node ${name}; there are ${known.join(", ")}`, EXIT.failed);
      }
      await present(cli, options, node, () => describeNode(node));
      return EXIT.ok;
    }),
  );
}

const TITLES = ["NAME", "STATE", "GPUS", "SLOTS", "POOL", "ADDRESS", "ROLE", "VERSION"];

function row(node: Node): readonly string[] {
  return [
    node.name,
    node.state,
    gpusUsed(node),
    `${node.slotsUsed}/${node.slots}`,
    node.pool,
    node.address,
    role(node),
    node.version,
  ];
}

function describeNode(node: Node): string {
  const summary = facts([
    ["name", node.name],
    ["state", node.reason === "" ? node.state : `${node.state}: ${node.reason}`],
    ["since", instant(node.sinceMs)],
    ["address", node.address],
    ["role", role(node)],
    ["pool", node.spot ? `${node.pool} (spot)` : node.pool],
    ["CPUs", String(node.cpus)],
    ["memory", `${node.memoryMib} MiB`],
    ["slots", `${node.slotsUsed}/${node.slots} used`],
    ["GPUs", `${gpusUsed(node)} used`],
    ["driver", node.driver],
    ["jobs", node.jobs.join(", ")],
    ["version", node.version],
  ]);
  const gpus = table(["GPU", "TYPE", "MEMORY", "STATE", "UUID"], node.gpus.map(gpuRow));
  const interfaces = table(
    ["INTERFACE", "ADDRESS", "SUBNET", "SPEED", "STATE"],
    node.interfaces.map((network) => [
      network.name,
      network.address,
      network.cidr,
      network.speedMbps === 0 ? "" : `${network.speedMbps} Mbit/s`,
      network.up ? "up" : "down",
    ]),
  );
  const parts = [summary, ...(node.gpus.length > 0 ? [gpus] : [])];
  return [...parts, ...(node.interfaces.length > 0 ? [interfaces] : [])].join("\n");
}

function gpuRow(gpu: Gpu): readonly string[] {
  const use = gpu.jobId === 0 ? "free" : `job ${gpu.jobId}`;
  return [
    String(gpu.index),
    gpu.name,
    gpu.memoryMib === 0 ? "" : `${gpu.memoryMib} MiB`,
    gpu.healthy ? use : `unhealthy: ${gpu.reasons.join("; ")}`,
    gpu.uuid,
  ];
}

function gpusUsed(node: Node): string {
  return `${node.gpus.filter(({ jobId }) => jobId !== 0).length}/${node.gpus.length}`;
}

function role(node: Node): string {
  return node.leader ? "leader*" : node.raftRole;
}
