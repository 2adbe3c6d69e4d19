import { tryTwice } from "./trial.ts";
import type { Trial } from "./trial.ts";

/** What the process that simulates says of each seed that it was given. */
export interface Report {
  readonly trial: Trial;
  /** Seconds of all cores that both runs took. */
  readonly coreSeconds: number;
}

// The simulated replicas refuse by the thousand; whoever explains a failure runs it again, with traces.
Error.stackTraceLimit = 0;

/** Tries each seed that the parent process sends, until the parent hangs up. */
process.on("message", (seed: number) => {
  const before = process.cpuUsage();
  void tryTwice(seed).then((trial) => {
    const { user, system } = process.cpuUsage(before);
    const report: Report = { trial, coreSeconds: (user + system) / 1e6 };
    process.send?.(report);
  });
});
