import { EMPTY_BYTES } from "../entry.ts";
import type { Entry, EntryType, NodeNumber } from "../entry.ts";
import { invariant } from "../errors.ts";

export type ConfChangeType =
  "ConfChangeAddNode" | "ConfChangeRemoveNode" | "ConfChangeUpdateNode" | "ConfChangeAddLearnerNode";

/**
 * How a membership change takes effect: `Auto` goes through a joint membership only when more than one change is made,
 * and leaves it by itself; `JointImplicit` always goes through one and leaves it by itself; `JointExplicit` stays in it
 * until an empty change is proposed.
 */
export type ConfChangeTransition =
  "ConfChangeTransitionAuto" | "ConfChangeTransitionJointImplicit" | "ConfChangeTransitionJointExplicit";

export interface ConfChangeSingle {
  readonly type: ConfChangeType;
  readonly nodeId: NodeNumber;
}

/** One change, carried by an `EntryConfChange`. */
export interface ConfChangeV1 extends ConfChangeSingle {
  readonly kind: "v1";
  readonly context: Uint8Array;
}

/** Any number of changes, carried by an `EntryConfChangeV2`. Without a change it leaves a joint membership. */
export interface ConfChangeV2 {
  readonly kind: "v2";
  readonly transition: ConfChangeTransition;
  readonly changes: readonly ConfChangeSingle[];
  readonly context: Uint8Array;
}

export type ConfChange = ConfChangeV1 | ConfChangeV2;

/** The change that leaves a joint membership. */
export const LEAVE_JOINT: ConfChangeV2 = {
  kind: "v2",
  transition: "ConfChangeTransitionAuto",
  changes: [],
  context: EMPTY_BYTES,
};

export function asV2(change: ConfChange): ConfChangeV2 {
  if (change.kind === "v2") return change;
  const { type, nodeId, context } = change;
  return { kind: "v2", transition: "ConfChangeTransitionAuto", changes: [{ type, nodeId }], context };
}

export type ConfChangeEffect =
  | { readonly kind: "simple" }
  | { readonly kind: "enter-joint"; readonly autoLeave: boolean }
  | { readonly kind: "leave-joint" };

/** What a change does to the membership when it is applied. */
export function effectOf(change: ConfChangeV2): ConfChangeEffect {
  if (change.transition === "ConfChangeTransitionAuto" && change.changes.length === 0)
    return { kind: "leave-joint" };
  if (change.transition === "ConfChangeTransitionAuto" && change.changes.length === 1)
    return { kind: "simple" };
  return { kind: "enter-joint", autoLeave: change.transition !== "ConfChangeTransitionJointExplicit" };
}

/** The entry type and the data that carry a change. `LEAVE_JOINT` is zero bytes, so it fits under any size limit. */
export function encodeConfChange(change: ConfChange): {
  readonly type: EntryType;
  readonly data: Uint8Array;
} {
  const context = change.context.length === 0 ? {} : { context: [...change.context] };
  if (change.kind === "v1") {
    const data = encodeJson({ type: change.type, nodeId: change.nodeId, ...context });
    return { type: "EntryConfChange", data };
  }
  if (effectOf(change).kind === "leave-joint" && change.context.length === 0) {
    return { type: "EntryConfChangeV2", data: EMPTY_BYTES };
  }
  const data = encodeJson({ transition: change.transition, changes: change.changes, ...context });
  return { type: "EntryConfChangeV2", data };
}

/** Reads the change that an entry carries; null for a normal entry. Throws on data that `encodeConfChange` never made. */
export function decodeConfChange(entry: Pick<Entry, "type" | "data">): ConfChange | null {
  if (entry.type === "EntryNormal") return null;
  if (entry.type === "EntryConfChangeV2" && entry.data.length === 0) return LEAVE_JOINT;
  const stored: unknown = JSON.parse(new TextDecoder().decode(entry.data));
  invariant(isRecord(stored), () => "configuration change is not an object");
  const context = stored["context"] === undefined ? EMPTY_BYTES : decodeBytes(stored["context"]);
  if (entry.type === "EntryConfChange") return { kind: "v1", ...decodeSingle(stored), context };
  const { transition, changes } = stored;
  invariant(isTransition(transition), () => `unknown configuration change transition ${String(transition)}`);
  invariant(Array.isArray(changes), () => "configuration change has no list of changes");
  return { kind: "v2", transition, changes: changes.map(decodeSingle), context };
}

function decodeSingle(stored: unknown): ConfChangeSingle {
  invariant(isRecord(stored), () => "configuration change is not an object");
  const { type, nodeId } = stored;
  invariant(isChangeType(type), () => `unknown configuration change type ${String(type)}`);
  invariant(
    typeof nodeId === "number" && Number.isSafeInteger(nodeId),
    () => "configuration change names no node",
  );
  return { type, nodeId };
}

function decodeBytes(stored: unknown): Uint8Array {
  invariant(Array.isArray(stored), () => "context of a configuration change is not a list of bytes");
  return Uint8Array.from(stored, Number);
}

function encodeJson(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isChangeType(value: unknown): value is ConfChangeType {
  return (
    value === "ConfChangeAddNode" ||
    value === "ConfChangeRemoveNode" ||
    value === "ConfChangeUpdateNode" ||
    value === "ConfChangeAddLearnerNode"
  );
}

function isTransition(value: unknown): value is ConfChangeTransition {
  return (
    value === "ConfChangeTransitionAuto" ||
    value === "ConfChangeTransitionJointImplicit" ||
    value === "ConfChangeTransitionJointExplicit"
  );
}
