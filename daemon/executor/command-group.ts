import { cgroupIsEmpty, cgroupMembers, killCgroup } from "./cgroup.ts";
import type { CommandFolder } from "./part-folder.ts";
import { sendSignal, sessionMembers } from "./processes.ts";

/** The processes of one command, as far as they can be told from others: its cgroup, or else its session. */
export interface CommandGroup {
  members(): readonly number[];
  isEmpty(): boolean;
  kill(): void;
}

/** @param cgroup the command's own cgroup, or null without cgroup v2. */
export function commandGroup(folder: CommandFolder, cgroup: string | null, bootId: string): CommandGroup {
  if (cgroup !== null) {
    return {
      members: () => cgroupMembers(cgroup),
      isEmpty: () => cgroupIsEmpty(cgroup),
      kill: () => killCgroup(cgroup),
    };
  }
  const members = (): readonly number[] => {
    const leader = folder.started()?.command;
    // The command leads a session of its own pid; in another boot that number means someone else.
    return leader === undefined || leader.bootId !== bootId ? [] : sessionMembers(leader.pid);
  };
  return {
    members,
    isEmpty: () => members().length === 0,
    kill: () => {
      for (const pid of members()) sendSignal(pid, "SIGKILL");
    },
  };
}
