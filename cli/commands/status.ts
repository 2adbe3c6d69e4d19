import type { Command } from "commander";
import type { MeshStatus } from "../client/client.ts";
import { present, withMesh, type Bind } from "../cli.ts";
import { EXIT } from "../exit-code.ts";
import { facts } from "../output/table.ts";
import { keepAddresses } from "./keep-addresses.ts";

/** `gpumesh status` */
export function addStatusCommand(program: Command, bind: Bind): void {
  const command = program.command("status").description("the mesh at a glance");
  bind(command, (cli, options) =>
    withMesh(cli, options, async (mesh, folder) => {
      const [status, nodes] = await Promise.all([mesh.status(), mesh.nodes()]);
      await present(cli, options, status, () => describeMesh(status));
      await keepAddresses(cli, folder, nodes);
      return EXIT.ok;
    }),
  );
}

function describeMesh(mesh: MeshStatus): string {
  return facts([
    ["mesh", mesh.id],
    ["leader", `${mesh.leader} (term ${mesh.term})`],
    ["voters", mesh.voters.join(", ")],
    ["nodes", counts(mesh.nodesByState)],
    ["jobs", counts(mesh.jobsByState)],
    ["GPUs", `${mesh.gpusUsed} of ${mesh.gpus} used`],
    ["slots", `${mesh.slotsUsed} of ${mesh.slots} used`],
    ["version", mesh.version],
  ]);
}

function counts(byState: Readonly<Record<string, number>>): string {
  const words = Object.entries(byState).map(([state, count]) => `${count} ${state}`);
  return words.length === 0 ? "none" : words.join(", ");
}
