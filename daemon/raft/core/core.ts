/**
 * The raft core: a pure, deterministic state machine. Time is `tick()`, input is a `Message`, output is a `Ready`; who
 * stores, sends and applies is the caller's affair. See `Ready` for the order of these duties.
 */
export * from "./entry.ts";
export * from "./message.ts";
export * from "./ready.ts";
export * from "./storage.ts";
export * from "./config.ts";
export * from "./errors.ts";
export * from "./conf-change/conf-change.ts";
export * from "./describe.ts";
export type { BasicStatus, Status } from "./status.ts";
export { RawNode } from "./raw-node.ts";
