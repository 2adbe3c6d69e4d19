import { existsSync } from "node:fs";
import { termGraceMsDefault, type CommandSpec, type PartHandle } from "./executor.ts";

/** Programs that a shim needs, by absolute path. */
export interface LaunchTools {
  readonly setsid: string;
  readonly env: string;
  /** Sets the parent-death signal; null where util-linux is too old, and then only the guard and the watcher kill. */
  readonly setpriv: string | null;
}

export interface LaunchPlaces {
  readonly deadlineFile: string;
  readonly tokenFile: string;
  /** Null without cgroup v2. */
  readonly cgroup: string | null;
  readonly shimsCgroup: string | null;
}

/**
 * What shim.sh sources: where things are, and the function `run`, which turns the calling process into the command.
 * The user's strings stand in it single-quoted and nowhere else, and the environment never stands on a command line,
 * which every user of the machine can read; only variables whose names a shell cannot export have to.
 */
export function renderLaunch(
  part: PartHandle,
  command: CommandSpec,
  places: LaunchPlaces,
  tools: LaunchTools,
): string {
  const environment = { ...command.env, GPUMESH_ATTEMPT_TOKEN: part.token };
  const names = Object.keys(environment);
  const assignments = Object.entries(environment).map(([name, value]) => quote(`${name}=${value}`));
  const [exported, onCommandLine] = [names.map(isExportable), names.map((name) => !isExportable(name))];
  const shellsOwn = ["_", "PWD", "OLDPWD", "SHLVL"].filter(
    (name) => !names.includes(name) || !isExportable(name),
  );
  const words = [
    quote(tools.env),
    ...shellsOwn.flatMap((name) => ["-u", name]),
    ...assignments.filter((_, at) => onCommandLine[at]),
    quote(tools.setsid),
    "--",
    ...(tools.setpriv === null ? [] : [quote(tools.setpriv), "--pdeathsig", "KILL", "--"]),
    ...command.argv.map(quote),
  ];
  const graceMs = command.termGraceMs ?? termGraceMsDefault;
  return [
    `deadline_file=${quote(places.deadlineFile)}`,
    `token_file=${quote(places.tokenFile)}`,
    `cgroup=${quote(places.cgroup ?? "")}`,
    `shims_cgroup=${quote(places.shimsCgroup ?? "")}`,
    `term_grace=${Math.ceil(graceMs / 10)}`,
    `work_dir=${quote(command.cwd)}`,
    `out_file=${quote(command.stdoutPath)}`,
    `err_file=${quote(command.stderrPath)}`,
    "run() {",
    "unset PATH",
    ...assignments.filter((_, at) => exported[at]).map((assignment) => `export ${assignment}`),
    `exec ${words.join(" ")}`,
    "}",
    "",
  ].join("\n");
}

/** Finds the programs in the system's folders. @throws when one that cannot be done without is missing. */
export function findLaunchTools(): LaunchTools {
  return { setsid: need("setsid"), env: need("env"), setpriv: find("setpriv") };
}

function need(program: string): string {
  const path = find(program);
  if (path !== null) return path;
  throw new Error(`${program} is not in ${systemFolders.join(", ")}: install util-linux and coreutils`);
}

function find(program: string): string | null {
  return systemFolders.map((folder) => `${folder}/${program}`).find((path) => existsSync(path)) ?? null;
}

const systemFolders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] as const;

/** The search path of the shims themselves. */
export const systemPath = systemFolders.join(":");

/** Names that a shell would refuse, or whose values it would change, are left to env(1). */
function isExportable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !shellVariables.has(name);
}

const shellVariables: ReadonlySet<string> = new Set(
  "_ BASHOPTS BASHPID BASH_VERSINFO EUID FUNCNAME GROUPS LINENO OLDPWD OPTIND PPID PWD RANDOM SECONDS SHELLOPTS SHLVL UID".split(
    " ",
  ),
);

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
