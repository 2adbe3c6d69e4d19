import type { Node } from "../client/client.ts";
import { note, type Cli } from "../cli.ts";

/**
 * Writes the daemons' present addresses into the context, so that the mesh is still found when those it was made with
 * are gone. Where that is not possible the command has still done its work.
 */
export async function keepAddresses(cli: Cli, folder: string, nodes: readonly Node[]): Promise<void> {
  const { addressesOf, updateAddresses } = await import("../client/client.ts");
  try {
    await updateAddresses(folder, addressesOf(nodes));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    note(cli, `the mesh's new addresses could not be kept in ${folder}: ${why}`);
  }
}
