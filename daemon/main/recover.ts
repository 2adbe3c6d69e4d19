import { existsSync } from "node:fs";
import type { RecoverMesh } from "../../scheduler/model/command.ts";
import { nodeId } from "../../scheduler/model/ids.ts";
import { LevelLog } from "../raft/level-log.ts";
import { PROPOSAL_ID_BYTES } from "../raft/proposals.ts";
import type { RaftLog } from "../raft/raft-log.ts";
import { otherMembers, recoveryBatch } from "../raft/recovery-batch.ts";
import type { DataFolder } from "../setup/data-folder.ts";
import { SetupError } from "../setup/data-folder.ts";
import { lockDataFolder } from "../setup/lock.ts";
import { ReplicatedState } from "../store/replicated-state.ts";
import { encodeCommand } from "../store/store.ts";

/** What one member holds; of several survivors the one goes on that has the highest last term, then the longest log. */
export interface Holding {
  readonly meshId: string;
  readonly name: string;
  readonly number: number;
  /** The newest term that it has heard of. */
  readonly term: number;
  readonly lastTerm: number;
  readonly lastIndex: number;
  readonly commit: number;
  readonly applied: number;
  readonly recoveryEpoch: number;
  readonly voters: readonly string[];
  /** Jobs, with what is in the log and not applied yet. */
  readonly jobs: number;
  /** Who is left behind when this one goes on alone. */
  readonly others: readonly string[];
}

/** Reads what a stopped daemon's folder holds and changes nothing. Throws SetupError or LogError. */
export function readHolding(folder: DataFolder): Promise<Holding> {
  return withLog(folder, async (_log, holding) => holding);
}

/**
 * Makes the stopped daemon of this folder the only voter of its mesh, in a new recovery epoch, with one synced batch at
 * the end of its log. Gives what it held before. Throws SetupError or LogError.
 */
export function recoverMember(folder: DataFolder, now: () => number): Promise<Holding> {
  return withLog(folder, async (log, holding) => {
    const { meshId, name, number } = holding;
    const leftBehind = otherMembers(log.recovered, number);
    const command: RecoverMesh = { kind: "recoverMesh", at: now(), survivor: nodeId(name), leftBehind };
    // First, so that a crash between the two leaves a member that no longer speaks to those left behind.
    await log.identity.enterEpoch(holding.recoveryEpoch + 1);
    await log.append(recoveryBatch(log.recovered, number, encodeCommand(command)));
    const members = folder.readDirectory()?.members ?? [];
    // It votes, and knows nobody else who does.
    const remaining = members
      .filter((member) => !leftBehind.includes(member.number))
      .map((member) => ({ ...member, raftRole: member.number === number ? "voter" : "client" }) as const);
    await folder.writeDirectory(meshId, remaining);
    return holding;
  });
}

async function withLog(
  folder: DataFolder,
  work: (log: RaftLog, holding: Holding) => Promise<Holding>,
): Promise<Holding> {
  const config = folder.readConfig();
  if (config === null) throw new SetupError(`${folder.path} is no daemon's data folder`);
  if (!existsSync(folder.raft))
    throw new SetupError(
      `${folder.path} holds no replicated state: ${config.name} was no voter. Recover on a node that was one`,
    );
  const unlock = await lockDataFolder(folder);
  try {
    const state = new ReplicatedState();
    const restoration = state.restore();
    const log = await LevelLog.open(folder.raft, {
      onFatal: () => undefined,
      onRecord: (key, value) => restoration.put(key, value),
    });
    try {
      restoration.finish();
      const holding = holdingOf(log, state, config);
      return await work(log, holding);
    } finally {
      await log.close();
    }
  } finally {
    await unlock();
  }
}

function holdingOf(
  { recovered, lastIndex }: RaftLog,
  state: ReplicatedState,
  { meshId, name }: { readonly meshId: string; readonly name: string },
): Holding {
  const { hardState, applied, entries, start } = recovered;
  for (const { index, term, type, data } of entries) {
    if (index <= applied.index || type !== "EntryNormal" || data.length === 0) continue;
    state.apply({ index, term, data: data.subarray(PROPOSAL_ID_BYTES) });
  }
  const { view } = state;
  const number = view.nodes.get(nodeId(name))?.number;
  if (number === undefined)
    throw new SetupError(`the state that ${name} holds does not know ${name}: recover on another survivor`);
  const nameOf = (member: number): string => view.nodeByNumber(member)?.id ?? `member ${member}`;
  return {
    meshId,
    name,
    number,
    term: hardState.term,
    lastTerm: entries.at(-1)?.term ?? start.term,
    lastIndex,
    commit: hardState.commit,
    applied: applied.index,
    recoveryEpoch: view.mesh?.recoveryEpoch ?? 0,
    voters: applied.confState.voters.map(nameOf),
    jobs: view.jobs.size,
    others: otherMembers(recovered, number).map(nameOf),
  };
}
