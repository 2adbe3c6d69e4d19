import type { NodeId } from "./ids.ts";
import { formatInstant } from "./instant.ts";

/** For the operator of a member without which the mesh was recovered (at Unix ms). */
export function whyLeftBehind(node: NodeId, recoveredAt: number): string {
  return (
    `this mesh was recovered at ${formatInstant(recoveredAt)} without ${node}, whose data folder belongs to the mesh ` +
    "before; remove the data folder and join again under another name"
  );
}
