import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Lease } from "./lease.ts";

const LEASE_MS = 6_000;

type Step =
  | { readonly kind: "begin"; readonly leaseMs: number }
  | { readonly kind: "send"; readonly afterMs: number }
  /** Counted back from the newest renewal; a number below 0 was never sent. */
  | { readonly kind: "accept"; readonly back: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("begin" as const),
      leaseMs: fc.integer({ min: 1, max: 9_000 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), afterMs: fc.nat(1_500) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("accept" as const), back: fc.integer({ min: -2, max: 70 }) }),
  },
);

describe("a lease", () => {
  it("never reaches further than the send of an accepted renewal allows, and never goes back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        const lease = new Lease();
        lease.begin(LEASE_MS);
        let nowMs = 1;
        let sent: number[] = [];
        let leaseMs = LEASE_MS;
        let allowedMs = 0;
        for (const action of steps) {
          const before = lease.deadlineMs();
          if (action.kind === "begin") {
            ({ leaseMs } = action);
            lease.begin(leaseMs);
            sent = [];
          } else if (action.kind === "send") {
            nowMs += action.afterMs;
            sent.push(nowMs);
            expect(lease.send(nowMs)).toBe(sent.length);
          } else {
            const sequence = sent.length - action.back;
            const moved = lease.accept(sequence);
            if (moved) allowedMs = Math.max(allowedMs, (sent[sequence - 1] ?? -Infinity) + leaseMs);
            expect(moved).toBe(lease.deadlineMs() > before);
          }
          expect(lease.deadlineMs()).toBeGreaterThanOrEqual(before);
          expect(lease.deadlineMs()).toBe(allowedMs);
        }
      }),
    );
  });

  it("runs from the send of a renewal, not from its acceptance", () => {
    const lease = new Lease();
    lease.begin(LEASE_MS);
    const first = lease.send(1_000);
    lease.send(2_000);
    expect(lease.accept(first)).toBe(true);
    expect(lease.deadlineMs()).toBe(7_000);
  });

  it("takes no answer to a renewal of an earlier session", () => {
    const lease = new Lease();
    lease.begin(LEASE_MS);
    const old = lease.send(1_000);
    lease.begin(LEASE_MS);
    expect(lease.accept(old)).toBe(false);
    expect(lease.deadlineMs()).toBe(0);
  });

  it("remembers only the newest renewals of a leader that is silent", () => {
    const lease = new Lease();
    lease.begin(LEASE_MS);
    for (let at = 1; at <= 100; at += 1) lease.send(at);
    expect(lease.accept(1)).toBe(false);
    expect(lease.accept(100)).toBe(true);
  });
});
