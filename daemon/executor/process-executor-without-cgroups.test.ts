import { describe } from "vitest";
import { testExecutorContract } from "./executor-contract.ts";
import { ProcessHarness } from "./process-executor-harness.ts";
import { testProcessExecutor } from "./process-executor-suite.ts";

describe("without cgroups", () => {
  testExecutorContract("the process executor", async () => new ProcessHarness("off"));
  testProcessExecutor("off");
});
