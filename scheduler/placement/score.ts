import type { DraftNode } from "./draft.ts";

/** Negative where `a` is the better of two nodes that both fit, positive where `b` is, 0 where the score is even. */
export type Score = (a: DraftNode, b: DraftNode) => number;
