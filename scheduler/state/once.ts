import type { ApplyResult } from "../model/command.ts";
import type { State } from "./state.ts";

/**
 * Carries out a request at most once: the same request id again gets the first answer, as long as answers are kept. A
 * refusal changed nothing and is not kept, so a request that is repeated after one is judged anew.
 */
export function once(state: State, requestId: string, work: () => ApplyResult): ApplyResult {
  const known = state.answerTo(requestId);
  if (known !== null) return known;
  const result = work();
  if (result.kind !== "refused") state.remember(requestId, result);
  return result;
}
