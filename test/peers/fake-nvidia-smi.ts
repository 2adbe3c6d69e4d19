import { access, chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

export interface FakeNvidiaSmi {
  /** File with the answer to `-q -x`; with an `exitCode` also any text that the real command wrote in its place. */
  readonly xml: string;
  /** File with the answer to `-L`; without it the fake refuses the option. */
  readonly list?: string | undefined;
  /** File with the answer to `topo -m`; without it the fake refuses the option. */
  readonly topo?: string | undefined;
  /** Exit code after each answer, 0 by default. */
  readonly exitCode?: number | undefined;
}

/**
 * Writes an executable POSIX shell script `nvidia-smi` into `dir` (made if missing) that answers from the given files,
 * which it reads at each call. Put `dir` first on PATH. Called again it replaces the script in one step, so that a
 * running daemon sees a GPU fail. Throws when a file is missing.
 */
export async function writeFakeNvidiaSmi(dir: string, fake: FakeNvidiaSmi): Promise<void> {
  const answers = [
    await answer('"-q -x"', fake.xml),
    fake.list === undefined ? "" : await answer('"-L"', fake.list),
    fake.topo === undefined ? "" : await answer('"topo -m"', fake.topo),
  ];
  const script = [
    "#!/bin/sh",
    'case "$*" in',
    ...answers.filter((line) => line !== ""),
    `*) echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help." >&2; exit 2 ;;`,
    "esac",
    `exit ${fake.exitCode ?? 0}`,
    "",
  ].join("\n");
  await mkdir(dir, { recursive: true });
  const draft = join(dir, ".nvidia-smi.new");
  await writeFile(draft, script);
  await chmod(draft, 0o755);
  await rename(draft, join(dir, "nvidia-smi"));
}

async function answer(pattern: string, file: string): Promise<string> {
  const path = resolve(file);
  await access(path);
  return `${pattern}) cat ${quoted(path)} || exit 255 ;;`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
