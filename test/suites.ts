/** What a machine must have before a suite can run there; test/machine.ts knows how to find out. */
export type Need = "root" | "network namespaces" | "mpi" | "strace" | "shared data";

/** Tests or checks that run in one process of their own. */
export type Suite = TestSuite | Program;

/** Test files that vitest runs. */
export type TestSuite = {
  readonly kind: "tests";
  readonly name: string;
  /** The test files, as globs relative to the repository root. Every test file belongs to exactly one suite. */
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
  readonly needs: readonly Need[];
  /** One file at a time, for tests that start daemons or own the machine's network. */
  readonly serial: boolean;
  readonly testTimeoutMs: number;
  /** The whole suite is stopped, and has failed, after this long. */
  readonly limitMinutes: number;
};

/**
 * An npm script that passes when it exits with 0. It counts as one test, unless its last line is a JSON object with the
 * counts `passed` and `failed`.
 */
export type Program = {
  readonly kind: "program";
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly needs: readonly Need[];
  readonly limitMinutes: number;
};

const mpiFiles = "test/cluster/**/*.mpi.test.ts";
/** Disks that are full or broken, under real daemons. */
const storageFiles = "test/cluster/**/*.storage.test.ts";
/** Real processes, deadlines and kills: right beside the code, too slow for every commit. */
const processFiles = "daemon/executor/process-executor*.test.ts";

/** The suites of vitest, in the order in which they run. vitest.config.ts makes one project out of each. */
export const testSuites: readonly TestSuite[] = [
  {
    kind: "tests",
    name: "unit",
    include: [
      "{scheduler,daemon,cli,proto}/**/*.test.ts",
      "test/*.test.ts",
      "test/{tidy,runner,bench}/**/*.test.ts",
    ],
    exclude: [processFiles],
    needs: [],
    serial: false,
    testTimeoutMs: 20_000,
    limitMinutes: 5,
  },
  {
    kind: "tests",
    name: "processes",
    include: [processFiles],
    needs: [],
    serial: true,
    testTimeoutMs: 30_000,
    limitMinutes: 3,
  },
  {
    kind: "tests",
    name: "sim",
    include: ["test/{contract,sim}/**/*.test.ts"],
    needs: [],
    serial: false,
    testTimeoutMs: 120_000,
    limitMinutes: 2,
  },
  {
    kind: "tests",
    name: "cluster",
    include: ["test/cluster/**/*.test.ts"],
    exclude: [mpiFiles, storageFiles],
    needs: [],
    serial: true,
    testTimeoutMs: 120_000,
    limitMinutes: 9,
  },
  {
    kind: "tests",
    name: "storage",
    include: [storageFiles],
    needs: ["root", "strace"],
    serial: true,
    testTimeoutMs: 180_000,
    limitMinutes: 2,
  },
  {
    kind: "tests",
    name: "mpi",
    include: [mpiFiles],
    needs: ["mpi"],
    serial: true,
    testTimeoutMs: 180_000,
    limitMinutes: 4,
  },
  {
    kind: "tests",
    name: "hosts",
    include: ["test/hosts/**/*.test.ts"],
    needs: ["root", "network namespaces", "mpi"],
    serial: true,
    testTimeoutMs: 180_000,
    limitMinutes: 3,
  },
  {
    kind: "tests",
    name: "data",
    include: ["test/{peers,conformance}/**/*.test.ts"],
    needs: ["shared data"],
    serial: false,
    testTimeoutMs: 120_000,
    limitMinutes: 3,
  },
];

/** All suites, in the order in which they run. Their limits sum up to less than the 45 minutes that .ci/run has. */
export const suites: readonly Suite[] = [
  { kind: "program", name: "checks", script: "check:static", args: [], needs: [], limitMinutes: 3 },
  ...testSuites,
  {
    kind: "program",
    name: "simulator",
    script: "sim",
    args: ["--seeds", "2000", "--from", "1"],
    needs: [],
    limitMinutes: 8,
  },
  {
    kind: "program",
    name: "conformance",
    script: "conformance:raft",
    args: ["../shared/data/etcd-raft"],
    needs: ["shared data"],
    limitMinutes: 1,
  },
];
