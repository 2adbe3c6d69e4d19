import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { PartLaunch } from "../../scheduler/launch/launch.ts";
import type { Executor, PartHandle } from "../executor/executor.ts";

/** Where the ranks will meet. */
export interface Rendezvous {
  readonly host: string | undefined;
  readonly port: number;
}

/**
 * Makes this node ready for its part: the executor's records, folders and files, and meanwhile the proof that the
 * rendezvous port is free, where it is this node's. Safe to repeat. Returns why the node can not take the part, or null.
 */
export async function prepareNode(
  executor: Executor,
  handle: PartHandle,
  launch: PartLaunch,
  rendezvous: Rendezvous | null,
): Promise<string | null> {
  const refusals = await Promise.all([
    folderRefusal(executor, handle, launch),
    rendezvous === null ? null : portRefusal(rendezvous),
  ]);
  return refusals.find((reason) => reason !== null) ?? null;
}

async function folderRefusal(
  executor: Executor,
  handle: PartHandle,
  launch: PartLaunch,
): Promise<string | null> {
  try {
    await executor.openPart(handle);
    await Promise.all(launch.directories.map((directory) => mkdir(directory, { recursive: true })));
    await Promise.all(launch.files.map(({ path, content, mode }) => writeFile(path, content, { mode })));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The rendezvous port was chosen by the leader, which can not know what else listens here. */
async function portRefusal({ host, port }: Rendezvous): Promise<string | null> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return `rendezvous port ${port} of ${host} is not free (${code})`;
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
