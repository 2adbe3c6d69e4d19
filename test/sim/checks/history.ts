/** How a job stands for those who watch it from outside. */
export type Seen = "absent" | "queued" | "cancelled";

/** One operation of a client on one job, from its first call to the answer that it took. */
export interface Operation {
  readonly kind: "submit" | "cancel" | "read";
  readonly calledAt: number;
  /** Infinity while there is no answer: it may take effect at any time, or never. */
  answeredAt: number;
  /** What a read has seen. */
  seen: Seen | null;
}

/**
 * Whether some order of the operations explains all answers: each takes effect at one moment between its call and its
 * answer (Herlihy and Wing). The search is that of Wing and Gong with Lowe's memory of states that led nowhere.
 */
export function isLinearizable(operations: readonly Operation[]): boolean {
  const history = operations.toSorted((a, b) => a.calledAt - b.calledAt);
  const deadEnds = new Set<string>();
  const done = history.map(() => false);
  const explain = (state: Seen): boolean => {
    const open = history.flatMap((operation, at) => (done[at] === true ? [] : [{ operation, at }]));
    const firstAnswer = Math.min(...open.map(({ operation }) => operation.answeredAt));
    if (firstAnswer === Infinity) return true;
    const key = `${state} ${open.map(({ at }) => at).join(" ")}`;
    if (deadEnds.has(key)) return false;
    for (const { operation, at } of open) {
      if (operation.calledAt > firstAnswer) break;
      const next = effectOf(operation, state);
      if (next === null) continue;
      done[at] = true;
      if (explain(next)) return true;
      done[at] = false;
    }
    deadEnds.add(key);
    return false;
  };
  return explain("absent");
}

/** The state after the operation, or null where its answer does not fit the state. Both mutations may be repeated. */
function effectOf({ kind, seen, answeredAt }: Operation, state: Seen): Seen | null {
  if (kind === "submit") return state === "absent" ? "queued" : state;
  if (kind === "cancel") return state === "absent" ? null : "cancelled";
  return seen === state || answeredAt === Infinity ? state : null;
}
