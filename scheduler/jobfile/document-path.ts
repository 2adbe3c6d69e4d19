/** The names and list indexes that lead to a value. */
export type Path = readonly PropertyKey[];

/** `properties.inputDirectories[1].id`; a name that is no property's is cut. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = String(key).slice(0, nameLengthMax);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

const nameLengthMax = 100;
