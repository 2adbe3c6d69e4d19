import type { LaunchRefused } from "./launch-input.ts";

export type Expanded = { readonly kind: "text"; readonly text: string } | LaunchRefused;

/** A variable whose value is made of others. */
export interface Definition {
  readonly template: string;
  /** `path`: a name that is not known is a fault. `value`: it stays as it stands, for a `$` may be meant. */
  readonly as: "path" | "value";
}

export interface Expander {
  /** The value of a variable; null when it is not known. */
  value(name: string): Expanded | null;
  /** @param what names the text in a refusal, e.g. `workingDirectory` */
  path(template: string, what: string): Expanded;
}

/**
 * Replaces `$NAME` and `${NAME}`, as a shell does but with no other syntax. Definitions may name each other in any
 * order, but not in a circle; a definition that names itself means the value underneath, as in `PATH=/opt:$PATH`.
 *
 * @param facts values that are used as they are
 */
export function expander(
  facts: Readonly<Record<string, string>>,
  definitions: ReadonlyMap<string, Definition>,
): Expander {
  const done = new Map<string, Expanded>();
  const open = new Set<string>();

  const fact = (name: string): Expanded | null => {
    const text = Object.hasOwn(facts, name) ? facts[name] : undefined;
    return text === undefined ? null : { kind: "text", text };
  };

  const value = (name: string): Expanded | null => {
    const definition = definitions.get(name);
    if (definition === undefined) return fact(name);
    const known = done.get(name);
    if (known !== undefined) return known;
    if (open.has(name)) {
      return refused(`the variables ${[...open].join(", ")} name each other: give one of them a fixed value`);
    }
    open.add(name);
    const result = expand(definition, name, (other) => (other === name ? fact(name) : value(other)));
    open.delete(name);
    done.set(name, result);
    return result;
  };

  return { value, path: (template, what) => expand({ template, as: "path" }, what, value) };
}

/** In UTF-16 units: three bytes each stay below Linux's limit for one argument or variable, 131,072 bytes. */
const expandedLengthMax = 40_000;

const reference = /\$(?:\{(?<braced>[A-Za-z_]\w*)\}|(?<plain>[A-Za-z_]\w*)|(?<other>\{))/g;

function expand(
  { template, as }: Definition,
  what: string,
  lookUp: (name: string) => Expanded | null,
): Expanded {
  let text = "";
  let end = 0;
  for (const match of template.matchAll(reference)) {
    const name = match.groups?.["braced"] ?? match.groups?.["plain"];
    const found = name === undefined ? null : lookUp(name);
    if (found?.kind === "refused") return found;
    if (found === null && as === "path") {
      return refused(
        name === undefined
          ? `${what} has "\${" in ${JSON.stringify(template)}: only $NAME and \${NAME} are understood`
          : `${what} names $${name}, which is not set: set it in environmentVariables or write the path out`,
      );
    }
    text += template.slice(end, match.index) + (found?.text ?? match[0]);
    end = match.index + match[0].length;
    if (text.length > expandedLengthMax) break;
  }
  text += template.slice(end);
  if (text.length > expandedLengthMax) {
    return refused(`${what} becomes longer than ${expandedLengthMax} characters`);
  }
  return { kind: "text", text };
}

function refused(reason: string): LaunchRefused {
  return { kind: "refused", reason };
}
