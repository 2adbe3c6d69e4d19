import { describe, expect, it } from "vitest";
import { Reports, type Report } from "./reports.ts";

const fence = { epoch: 0, index: 7 };

function report(job: number, kind: Report["kind"]): Report {
  return { kind, status: { jobId: job, attempt: 1, fence, reportJson: JSON.stringify({ kind }) } };
}

function jobsOf(statuses: ReturnType<Reports["due"]>): unknown[] {
  return statuses.map(({ jobId }) => jobId);
}

describe("unsettled reports", () => {
  it("are due at once, then again while nobody settles them", () => {
    const reports = new Reports();
    reports.add(report(1, "prepared"));
    expect(jobsOf(reports.due(0))).toEqual([1]);
    expect(jobsOf(reports.due(1_000))).toEqual([]);
    expect(jobsOf(reports.due(2_000))).toEqual([1]);
    reports.settle({ jobId: 1, attempt: 1, fence, kind: "prepared" });
    expect(jobsOf(reports.due(9_000))).toEqual([]);
  });

  it("that came after the hello are due although the hello carried others", () => {
    const reports = new Reports();
    reports.add(report(1, "exited"));
    reports.carried(0);
    reports.add(report(2, "exited"));
    expect(jobsOf(reports.due(10))).toEqual([2]);
  });

  it("are not settled by what settles an older report of the same attempt", () => {
    const reports = new Reports();
    reports.add(report(1, "prepared"));
    reports.due(0);
    reports.add(report(1, "exited"));
    reports.settle({ jobId: 1, attempt: 1, fence, kind: "prepared" });
    expect(jobsOf(reports.due(10))).toEqual([1]);
    reports.settle({ jobId: 1, attempt: 1, fence, kind: "exited" });
    expect(jobsOf(reports.due(9_000))).toEqual([]);
  });
});
