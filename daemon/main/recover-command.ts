import { DataFolder, SetupError } from "../setup/data-folder.ts";
import { readHolding, recoverMember } from "./recover.ts";
import type { Holding } from "./recover.ts";

export interface RecoverOptions {
  readonly data: string;
  readonly yes: boolean;
}

/**
 * `gpumesh mesh recover`: shows what this member holds, for comparison with other survivors; with `--yes` makes it the
 * only voter. Gives the text for its operator. Throws SetupError or LogError.
 */
export async function recover(options: RecoverOptions, now: () => number): Promise<string> {
  const folder = new DataFolder(options.data);
  if (!options.yes) return describe(await readHolding(folder), folder.path);
  const held = await recoverMember(folder, now);
  if (held.others.length === 0) throw new SetupError(`${held.name} was the only member already`);
  const [left, are] = [held.others.join(", "), held.others.length === 1 ? "is" : "are"];
  return [
    `${held.name} is the only voter of mesh ${held.meshId} now, in recovery epoch ${held.recoveryEpoch + 1}.`,
    `${left} ${are} left behind. Never start ${held.others.length === 1 ? "it" : "them"} on the old data ` +
      "folders: remove those, and join again under other names.",
    `To start this one: gpumeshd run --data ${folder.path}`,
    "Then join new nodes; from three on the mesh has three voters again: gpumesh mesh voters",
    "",
  ].join("\n");
}

function describe(held: Holding, path: string): string {
  return [
    `${held.name} (member ${held.number}) of mesh ${held.meshId} holds:`,
    `  last entry   term ${held.lastTerm}, index ${held.lastIndex}`,
    `  committed    index ${held.commit}, as far as it knows; applied ${held.applied}`,
    `  newest term  ${held.term}; recovery epoch ${held.recoveryEpoch}`,
    `  jobs         ${held.jobs}`,
    `  voters       ${held.voters.join(", ")}`,
    "",
    "Nothing was changed. Run this on every voter whose data folder is left. As long as a majority of the voters can be",
    "started, start those instead: then nothing is lost. Else choose the one whose last entry has the highest term and,",
    "where the terms are equal, the highest index: what the others have beyond it is given up. On that one alone:",
    "",
    `  gpumesh mesh recover --data ${path} --yes`,
    "",
    `It then leaves behind ${held.others.length === 0 ? "nobody" : held.others.join(", ")} for good.`,
    "",
  ].join("\n");
}
