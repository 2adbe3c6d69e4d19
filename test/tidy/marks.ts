import { isCode, isGenerated, lineAt, type Complaint, type SourceFile } from "./source-file.ts";

type Mark = {
  readonly pattern: RegExp;
  readonly what: string;
  readonly remedy: string;
  readonly appliesTo: (path: string) => boolean;
};

const everyFile = (path: string): boolean => !isGenerated(path);

/**
 * Text that has no place in the project. The character classes with one letter keep a pattern, and whoever searches
 * for its mark, from finding this file.
 */
const marks: readonly Mark[] = [
  {
    pattern: /\b(?:T[O]DO|F[I]XME|X[X]X)\b/,
    what: "a note that work is left",
    remedy: "Do it now, or open an issue and delete the note",
    appliesTo: isCode,
  },
  {
    pattern: /@ts-(?:[i]gnore|[e]xpect-error|[n]ocheck)|(?:ox|es)lint-[d]isable/,
    what: "a check switched off",
    remedy:
      "Change the code until the check agrees; a wrong rule is changed for everybody in oxlint.config.ts",
    appliesTo: isCode,
  },
  {
    pattern: /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:[o]nly|[s]kip|[t]odo)\b/,
    what: "a test that is left out, or that leaves all others out",
    remedy:
      "Run it or delete it; a test that needs more than this machine has goes into a suite with that need",
    appliesTo: isCode,
  },
  {
    pattern: /^[ \t]*(?:\/\/|\/\*|\*|#)[ \t]*(?:[-=*#~_/]{3,}|[\u2500-\u257f]{2,})/m,
    what: "a banner comment",
    remedy: "Delete it; a file that needs chapters is two files",
    appliesTo: isCode,
  },
  {
    pattern: /(?<![\w./}-])\/(?:[w]ork|[r]oot|[h]ome\/[\w.-]+)\//,
    what: "an absolute path of one machine",
    remedy: "Use a path relative to the repository, or a placeholder such as $HOME",
    appliesTo: everyFile,
  },
];

/** Every mark in `file`, each at its line. */
export function markComplaints({ path, text }: SourceFile): readonly Complaint[] {
  return marks
    .filter(({ appliesTo }) => appliesTo(path))
    .flatMap(({ pattern, what, remedy }) =>
      [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map((found) => ({
        path,
        line: lineAt(text, found.index),
        what: `${what}: ${found[0].trim()}`,
        remedy,
      })),
    );
}
