import { CONSENSUS_BUGS } from "./consensus-bugs.ts";
import { MEMBER_BUGS } from "./member-bugs.ts";
import type { Mutant } from "./mutant.ts";
import { STORAGE_BUGS } from "./storage-bugs.ts";

/** Bugs of the list without a mutant, and why. */
export const NOT_PLANTED: Readonly<Record<string, string>> = {
  "26": "needs leases, which are not simulated",
};

/** All planted bugs, in the order of the list. */
export const MUTANTS: readonly Mutant[] = [...CONSENSUS_BUGS, ...STORAGE_BUGS, ...MEMBER_BUGS].toSorted(
  (a, b) => Number.parseInt(a.bug, 10) - Number.parseInt(b.bug, 10) || a.bug.localeCompare(b.bug),
);
