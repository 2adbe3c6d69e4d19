import type { RaftHello, RaftHello__Output } from "../../proto/gen/gpumesh/v1/RaftHello.ts";
import { OPENINGS_KEPT_MAX } from "./peer-identity.ts";
import type { PeerHello } from "./peer-identity.ts";

const STORE_ID = /^[0-9a-f]{32}$/;
const OPENING_NAME = /^[0-9a-f]{16}$/;
const MESH_ID_LENGTH_MAX = 64;

export type WireHello =
  | { readonly ok: true; readonly hello: PeerHello }
  /** What is wrong, naming the field and the value that was found. */
  | { readonly ok: false; readonly fault: string };

export function helloToWire(hello: PeerHello): RaftHello {
  return { ...hello, openings: hello.openings.map((opening) => ({ ...opening })) };
}

export function helloFromWire(wire: RaftHello__Output): WireHello {
  const { meshId, member, storeId, incarnation, recoveryEpoch, lastIndex, term } = wire;
  const numbers = { member, incarnation, recoveryEpoch, lastIndex, term };
  for (const [field, value] of Object.entries(numbers)) {
    if (!isNatural(value)) return fault(field, value);
  }
  if (meshId.length > MESH_ID_LENGTH_MAX) return fault("meshId", meshId);
  if (member === 0) return fault("member", member);
  if (!STORE_ID.test(storeId)) return fault("storeId", storeId);
  const openings = wire.openings.map(({ name, foundBatch }) => ({ name, foundBatch }));
  const count = openings.length;
  if (count !== Math.min(incarnation, OPENINGS_KEPT_MAX) || count === 0) return fault("openings", count);
  let before = 0;
  for (const { name, foundBatch } of openings) {
    if (!OPENING_NAME.test(name)) return fault("openings.name", name);
    if (!isNatural(foundBatch) || foundBatch < before) return fault("openings.foundBatch", foundBatch);
    before = foundBatch;
  }
  const hello = { meshId, member, storeId, incarnation, openings, recoveryEpoch, lastIndex, term };
  return { ok: true, hello };
}

function isNatural(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function fault(field: string, value: string | number): WireHello {
  return { ok: false, fault: `the hello's ${field} can not be ${JSON.stringify(value).slice(0, 80)}` };
}
