import { defineConfig } from "vitest/config";
import { testSuites } from "./test/suites.ts";

export default defineConfig({
  test: {
    projects: testSuites.map((suite) => ({
      test: {
        name: suite.name,
        include: [...suite.include],
        exclude: ["**/node_modules/**", ...(suite.exclude ?? [])],
        pool: "forks",
        fileParallelism: !suite.serial,
        testTimeout: suite.testTimeoutMs,
        hookTimeout: suite.testTimeoutMs,
      },
    })),
  },
});
