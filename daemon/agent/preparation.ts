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
 * Makes this node ready for its part: the executor's records, folders, files, then proof that the rendezvous port is
 * free, where it is this node's. Safe to repeat. Returns why the node can not take the part, or null.
 */
export async function prepareNode(
  executor: Executor,
  handle: PartHandle,
  launch: PartLaunch,
  rendezvous: Rendezvous | null,
): Promise<string | null> {
  try {
    await executor.openPart(handle);
    for (const directory of launch.directories) await mkdir(directory, { recursive: true });
    for (const file of launch.files) await writeFile(file.path, file.content, { mode: file.mode });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return rendezvous === null ? null : portRefusal(rendezvous);
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
