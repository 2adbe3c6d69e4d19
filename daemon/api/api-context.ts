import { status } from "@grpc/grpc-js";
import type { ApplyResult, RefusalCode } from "../../scheduler/model/command.ts";
import type { Directory } from "../mesh/directory.ts";
import type { Peers } from "../mesh/peers.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store.ts";
import { CallError } from "./call-error.ts";

/** What the calls work with. */
export interface ApiContext {
  /** The replicated state; null on a daemon that is no member of raft. */
  readonly store: () => Store | null;
  readonly directory: Directory;
  readonly peers: Peers;
  readonly now: () => number;
  readonly version: string;
  /** The join token of this id and secret as its users get it. */
  readonly joinToken: (parts: { readonly id: string; readonly secret: string }) => string;
}

/** Chosen by whoever calls; what carries the same one again is the same request. */
const REQUEST_ID = /^[A-Za-z0-9-]{8,64}$/;

/** Throws a CallError for a request id that no client should make. */
export function checkRequestId(requestId: string): void {
  if (REQUEST_ID.test(requestId)) return;
  throw new CallError(
    status.INVALID_ARGUMENT,
    "request_id must be 8 to 64 characters of A-Z, a-z, 0-9 and '-'",
  );
}

export function storeOf(context: ApiContext): Store {
  const store = context.store();
  if (store === null) throw new CallError(status.UNAVAILABLE, "this daemon holds no state; ask another");
  return store;
}

/** The store after a confirmed round: its view shows everything acknowledged before the call. */
export async function freshStore(context: ApiContext): Promise<Store> {
  const store = storeOf(context);
  await settled(store.readBarrier());
  return store;
}

/** What a command gave; a refusal, or a store that can not take it, is thrown as a CallError. */
export async function resultOf(
  work: Promise<ApplyResult>,
): Promise<Exclude<ApplyResult, { kind: "refused" }>> {
  const result = await settled(work);
  if (result.kind === "refused") throw new CallError(REFUSAL_STATUS[result.code], result.reason);
  return result;
}

async function settled<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const code = error.code === "too-large" ? status.INVALID_ARGUMENT : status.UNAVAILABLE;
    throw new CallError(code, error.message);
  }
}

const REFUSAL_STATUS: Readonly<Record<RefusalCode, status>> = {
  stale: status.ABORTED,
  "not-found": status.NOT_FOUND,
  "already-exists": status.ALREADY_EXISTS,
  "not-permitted": status.PERMISSION_DENIED,
  impossible: status.FAILED_PRECONDITION,
};
