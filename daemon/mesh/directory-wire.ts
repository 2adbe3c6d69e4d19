import type { Directory as DirectoryMessage } from "../../proto/gen/gpumesh/v1/Directory.ts";
import type { Directory__Output } from "../../proto/gen/gpumesh/v1/Directory.ts";
import type { Member, RaftRole } from "./directory.ts";
import { RAFT_ROLES } from "./directory.ts";

/** The members in a directory message. An unknown role is that of a newer version: it is treated as a client's. */
export function membersOf(message: Directory__Output): readonly Member[] {
  return message.nodes.map((entry) => ({
    name: entry.name,
    number: entry.number,
    address: entry.address,
    raftRole: isRaftRole(entry.raftRole) ? entry.raftRole : "client",
  }));
}

export function directoryMessage(meshId: string, members: readonly Member[]): DirectoryMessage {
  return { meshId, nodes: members.map((member) => ({ ...member })) };
}

function isRaftRole(role: string): role is RaftRole {
  return RAFT_ROLES.some((known) => known === role);
}
