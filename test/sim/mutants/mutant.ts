/** One place of a mutation: this text, which stands exactly once in the file, becomes the other. */
interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** A classic bug, planted where it would be made. The simulator knows none of them. */
export interface Mutant {
  /** Its number in the project's list of raft bugs that everyone makes; a letter where there are several ways to it. */
  readonly bug: string;
  readonly what: string;
  readonly edits: readonly Edit[];
}
