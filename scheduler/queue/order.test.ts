import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jobId } from "../model/ids.ts";
import { PRIORITIES, type JobRecord, type Priority } from "../model/job.ts";
import { testSpec } from "../state/cluster.fixture.ts";
import { orderQueue } from "./order.ts";

const queued = (id: number, priority: Priority): JobRecord => ({
  id: jobId(id),
  requestId: `request-${id}`,
  spec: testSpec({ priority }),
  submittedAt: id,
  submittedBy: "alice",
  state: { kind: "queued", since: id, because: null },
  attempts: 0,
  failures: 0,
  refusals: 0,
  history: [],
});

/** Jobs with different ids, in any order. */
const queues = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(...PRIORITIES)), {
    selector: ([id]) => id,
    maxLength: 50,
  })
  .map((jobs) => jobs.map(([id, priority]) => queued(id, priority)));

describe("orderQueue", () => {
  it("serves high before normal before low, and within a priority who came first", () => {
    const jobs = [queued(1, "low"), queued(4, "normal"), queued(3, "high"), queued(2, "normal")];
    expect(orderQueue(jobs).map((job) => job.id)).toEqual([3, 2, 4, 1]);
  });

  it("keeps every job once, and no later job goes before an earlier one by any rule", () => {
    fc.assert(
      fc.property(queues, (jobs) => {
        const order = orderQueue(jobs);
        expect(new Set(order)).toEqual(new Set(jobs));
        expect(order).toHaveLength(jobs.length);
        order.forEach((job, i) => {
          const next = order[i + 1];
          if (next === undefined) return;
          const [rank, nextRank] = [job, next].map(({ spec }) => PRIORITIES.indexOf(spec.priority));
          expect(rank).toBeLessThanOrEqual(nextRank ?? -1);
          if (rank === nextRank) expect(job.id).toBeLessThan(next.id);
        });
      }),
    );
  });

  it("does not care in which order it is given the jobs, and leaves them as they were", () => {
    fc.assert(
      fc.property(
        queues.chain((jobs) =>
          fc.tuple(fc.constant(jobs), fc.shuffledSubarray(jobs, { minLength: jobs.length })),
        ),
        ([jobs, shuffled]) => {
          const given = [...shuffled];
          expect(orderQueue(shuffled)).toEqual(orderQueue(jobs));
          expect(shuffled).toEqual(given);
        },
      ),
    );
  });
});
