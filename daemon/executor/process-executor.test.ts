import { describe } from "vitest";
import { testExecutorContract } from "./executor-contract.ts";
import { ProcessHarness, whyNoCgroups } from "./process-executor-harness.ts";
import { testProcessExecutor } from "./process-executor-suite.ts";

const why = whyNoCgroups();

describe.skipIf(why !== null)(`with cgroup v2${why === null ? "" : ` (not here: ${why})`}`, () => {
  testExecutorContract("the process executor", async () => new ProcessHarness("auto"));
  testProcessExecutor("auto");
});
