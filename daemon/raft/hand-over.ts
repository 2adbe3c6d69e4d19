import type { MemberProgress } from "./driver-status.ts";

/** The part of a leader that hands over. */
export interface HandingOver {
  readonly leads: () => boolean;
  /** Asks a voter to take over; nothing comes of it where it can not. */
  readonly ask: (heir: number) => void;
  /** Calls on each change of this member's standing, with whether another leads. Returns the way to end it. */
  readonly onStatus: (listener: (anotherLeads: boolean) => void) => () => void;
  readonly after: (ms: number, action: () => void) => () => void;
  /** How long one heir has. */
  readonly waitMs: number;
}

/** Asks one heir after the other, until one leads or this member does not any more. Resolves with whether another leads. */
export async function handOver(heirs: readonly number[], member: HandingOver): Promise<boolean> {
  for (const heir of heirs) {
    if (!member.leads()) return false;
    if (await takesOver(heir, member)) return true;
  }
  return false;
}

/** Those first that were heard within `silentMsMax`, and of these who has most of the log. */
export function heirsOf(
  voters: readonly number[],
  progress: ReadonlyMap<number, MemberProgress>,
  silentMsMax: number,
): readonly number[] {
  const answers = (voter: number): number =>
    Number((progress.get(voter)?.silentMs ?? Infinity) < silentMsMax);
  const matchOf = (voter: number): number => progress.get(voter)?.match ?? 0;
  return voters.toSorted((a, b) => answers(b) - answers(a) || matchOf(b) - matchOf(a));
}

function takesOver(heir: number, { ask, onStatus, after, waitMs }: HandingOver): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (another: boolean): void => {
      cancel();
      unsubscribe();
      resolve(another);
    };
    const cancel = after(waitMs, () => settle(false));
    const unsubscribe = onStatus((anotherLeads) => {
      if (anotherLeads) settle(true);
    });
    ask(heir);
  });
}
