import { decodeIdentity, IDENTITY_KEY, peerKey } from "../../daemon/raft/identity-record.ts";
import { decodeHead, HEAD_KEY } from "../../daemon/raft/log-record.ts";
import type { LogHead } from "../../daemon/raft/log-record.ts";
import type { KnownPeer, StoreIdentity } from "../../daemon/raft/peer-identity.ts";
import type { DiskImage } from "./disk.ts";
import type { Replica } from "./replica.ts";

/**
 * Whether an image that is put back on a replica's disk can be told from what the replica has promised: all that ever ran
 * remember more than it holds, whatever befalls them, and its member asks them before it leads. Where a promise that the
 * image forgot is known to somebody who can not be asked, no implementation could tell.
 */
export function isDetectable(replica: Replica, image: DiskImage, others: readonly Replica[]): boolean {
  const head = headOf(replica, image);
  if (head === null || head.applied.confState.voters.length === 1) return false;
  return others.every((other) => knowsMore(other, replica, image, head));
}

function knowsMore(witness: Replica, replica: Replica, image: DiskImage, head: LogHead): boolean {
  const stored = witness.disk.durable(peerKey(replica.id));
  const imaged = replica.disk.durable(IDENTITY_KEY, image.written);
  if (stored === undefined || imaged === undefined) return false;
  const known = decodeIdentity<KnownPeer>(peerKey(replica.id), stored);
  const store = decodeIdentity<StoreIdentity>(IDENTITY_KEY, imaged);
  if (!known.ok || !store.ok) return false;
  return known.value.incarnation > store.value.incarnation || known.value.batch > head.batch;
}

function headOf({ disk }: Replica, { written }: DiskImage): LogHead | null {
  const head = disk.durable(HEAD_KEY, written);
  const decoded = head === undefined ? null : decodeHead(head);
  return decoded?.ok === true ? decoded.value : null;
}
