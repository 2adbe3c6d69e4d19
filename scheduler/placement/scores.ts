import type { DraftNode } from "./draft.ts";
import type { Score } from "./score.ts";
import { pack } from "./scores/pack.ts";

/** The first score that is not even decides. */
const SCORES: readonly Score[] = [pack];

/** Orders nodes from best to worst. Total: even nodes go by name, so equal states give equal plans. */
export function compareNodes(a: DraftNode, b: DraftNode): number {
  for (const score of SCORES) {
    const order = score(a, b);
    if (order !== 0) return order;
  }
  return a.record.id < b.record.id ? -1 : 1;
}
