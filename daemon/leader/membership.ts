import type { StateView } from "../../scheduler/state/state.ts";
import type { Directory, Member } from "../mesh/directory.ts";
import type { Members, Store } from "../store/store.ts";

/**
 * The members of the mesh as the state and consensus know them. A node that has not registered yet keeps the address
 * that was known of it before: the founder's own, while it registers with itself. Who was left behind by a recovery is no
 * member, and nobody talks to it.
 */
export function membersOfMesh(view: StateView, raft: Members, known: Directory): readonly Member[] {
  const here = [...view.nodes.values()].filter((node) => node.leftBehindAt === null);
  return here.map((node) => ({
    name: node.id,
    number: node.number,
    address: node.facts?.address ?? known.byName(node.id)?.address ?? "",
    raftRole: raft.voters.includes(node.number)
      ? "voter"
      : raft.learners.includes(node.number)
        ? "learner"
        : "client",
  }));
}

/** Keeps the leader's own directory true to the state; its sessions pass it on. Returns the stop function. */
export function startMembership(store: Store, directory: Directory): () => void {
  const update = (): void => {
    const view = store.view();
    if (view.mesh !== null) directory.replace(membersOfMesh(view, store.members(), directory));
  };
  update();
  return store.watch(update);
}
