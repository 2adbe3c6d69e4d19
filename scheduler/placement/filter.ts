import type { JobSpec } from "../model/job.ts";
import type { StateView } from "../state/state.ts";
import type { DraftNode } from "./draft.ts";

/** One reason why a node may not take a part of a gang. Judges a single node, whatever else is in the mesh. */
export interface Filter {
  readonly name: string;
  /** True where the node may take one part of the job, as far as this filter goes. */
  check(node: DraftNode, spec: JobSpec): boolean;
  /** Why `check` said no, as the end of a sentence that begins with the node's name. */
  explain(node: DraftNode, spec: JobSpec, view: StateView): string;
}
