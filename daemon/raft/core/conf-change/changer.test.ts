import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RaftError } from "../errors.ts";
import { isJoint, jointIds } from "../quorum/joint.ts";
import { Inflights } from "../tracker/inflights.ts";
import { EMPTY_TRACKER_CONFIG, confStateOf, describeTrackerConfig } from "../tracker/tracker.ts";
import { changeSimply, enterJoint, leaveJoint } from "./changer.ts";
import type { Membership, NewMemberPolicy } from "./changer.ts";
import type { ConfChangeSingle } from "./conf-change.ts";
import { restoreMembership } from "./restore.ts";

const policy: NewMemberPolicy = { lastIndex: 10, newInflights: () => new Inflights(10, Infinity) };
const nobody: Membership = { config: EMPTY_TRACKER_CONFIG, progress: new Map() };

const change: fc.Arbitrary<ConfChangeSingle> = fc.record({
  type: fc.constantFrom(
    "ConfChangeAddNode",
    "ConfChangeRemoveNode",
    "ConfChangeAddLearnerNode",
    "ConfChangeUpdateNode",
  ),
  nodeId: fc.integer({ min: 0, max: 6 }),
});
const changes = fc.array(change, { maxLength: 8 });
const history = fc.array(fc.tuple(fc.boolean(), changes), { maxLength: 6 });

/** Applies what can be applied: each step simply, or through a joint membership. */
function replay(steps: readonly (readonly [boolean, readonly ConfChangeSingle[]])[]): Membership {
  let membership = changeSimply(nobody, [{ type: "ConfChangeAddNode", nodeId: 1 }], policy);
  for (const [joint, list] of steps) {
    try {
      membership = joint
        ? leaveJoint(enterJoint(membership, list, true, policy), policy)
        : changeSimply(membership, list, policy);
    } catch (error) {
      if (!(error instanceof RaftError)) throw error;
    }
  }
  return membership;
}

const text = (membership: Membership): string => describeTrackerConfig(membership.config);

describe("membership changes", () => {
  it("make the same membership one by one and in one joint step", () => {
    fc.assert(
      fc.property(history, changes, (steps, list) => {
        const start = replay(steps);
        let oneByOne: Membership | null = start;
        try {
          for (const single of list) oneByOne = changeSimply(oneByOne, [single], policy);
        } catch (error) {
          if (!(error instanceof RaftError)) throw error;
          // On the way there all voters were removed, which a joint step does not see.
          oneByOne = null;
        }
        fc.pre(oneByOne !== null);
        const atOnce = leaveJoint(enterJoint(start, list, false, policy), policy);
        expect(text(atOnce)).toBe(text(oneByOne));
        expect(new Set(atOnce.progress.keys())).toEqual(new Set(oneByOne.progress.keys()));
      }),
    );
  });

  it("change at most one voter when simple", () => {
    fc.assert(
      fc.property(history, changes, (steps, list) => {
        const before = replay(steps);
        let after: Membership;
        try {
          after = changeSimply(before, list, policy);
        } catch (error) {
          expect(error).toBeInstanceOf(RaftError);
          return;
        }
        const [old, fresh] = [before.config.voters.incoming, after.config.voters.incoming];
        const differing = [1, 2, 3, 4, 5, 6].filter((id) => old.has(id) !== fresh.has(id));
        expect(differing.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("keep exactly one progress a member, which is a learner's only where it is one", () => {
    fc.assert(
      fc.property(history, changes, fc.boolean(), (steps, list, autoLeave) => {
        const start = replay(steps);
        const memberships = [start];
        try {
          memberships.push(enterJoint(start, list, autoLeave, policy));
        } catch (error) {
          expect(error).toBeInstanceOf(RaftError);
        }
        for (const { config, progress } of memberships) {
          const members = new Set([...jointIds(config.voters), ...config.learners]);
          expect(new Set(progress.keys())).toEqual(members);
          for (const [id, each] of progress) expect(each.isLearner).toBe(config.learners.has(id));
          for (const id of config.learnersNext) expect(config.voters.outgoing.has(id)).toBe(true);
        }
      }),
    );
  });

  it("leave what they were made from as it was", () => {
    fc.assert(
      fc.property(history, changes, (steps, list) => {
        const start = replay(steps);
        const before = text(start) + JSON.stringify([...start.progress.values()]);
        try {
          leaveJoint(enterJoint(start, list, false, policy), policy);
          changeSimply(start, list, policy);
        } catch (error) {
          expect(error).toBeInstanceOf(RaftError);
        }
        expect(text(start) + JSON.stringify([...start.progress.values()])).toBe(before);
      }),
    );
  });

  it("are restored from their stored form, joint or not", () => {
    fc.assert(
      fc.property(history, changes, fc.boolean(), (steps, list, autoLeave) => {
        const start = replay(steps);
        const memberships = [start];
        try {
          memberships.push(enterJoint(start, list, autoLeave, policy));
        } catch (error) {
          expect(error).toBeInstanceOf(RaftError);
        }
        for (const membership of memberships) {
          const restored = restoreMembership(confStateOf(membership.config), policy);
          expect(text(restored)).toBe(text(membership));
          expect(isJoint(restored.config.voters)).toBe(isJoint(membership.config.voters));
        }
      }),
    );
  });
});
