import type { Score } from "../score.ts";

/**
 * The fullest node first: the fewest free GPUs, then the fewest free slots (best fit). Whole nodes stay free for the
 * gangs that need them, and jobs without GPUs go where there is none to waste.
 */
export const pack: Score = (a, b) => a.freeGpus.length - b.freeGpus.length || a.freeSlots - b.freeSlots;
