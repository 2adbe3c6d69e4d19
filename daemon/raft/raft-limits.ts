const KIB = 1024;
const MIB = 1024 * KIB;

/** What one member takes in, holds and sends at most. A simulator makes them small, so that they are met. */
export interface RaftLimits {
  /** Proposals made in one turn enter the log together, up to this size, but at least one. */
  readonly proposalBatchBytesMax: number;
  /** Proposals that are not applied yet; more are dropped. */
  readonly proposalsMax: number;
  /** Readers that wait at one time; more are dropped. */
  readonly readersMax: number;
  /** How many Readys one turn handles before the event loop gets its turn. */
  readonly readiesPerTurnMax: number;
  /** Of the entries of one message, but at least one entry. */
  readonly messageBytesMax: number;
  /** Of the committed entries that one Ready gives to be applied, but at least one entry. */
  readonly committedBytesPerReadyMax: number;
  /** Of a leader's own entries that are not applied yet; a proposal over it is dropped, unless there are none. */
  readonly uncommittedBytesMax: number;
  /** Of messages with entries that one follower has not answered. */
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** Of the records in one chunk of a snapshot, exceeded by at most one record. */
  readonly snapshotChunkBytesMax: number;
}

export const DEFAULT_LIMITS: RaftLimits = {
  proposalBatchBytesMax: MIB,
  proposalsMax: 16_384,
  readersMax: 16_384,
  readiesPerTurnMax: 16,
  // Below gRPC's 4 MiB with a batch of others around it.
  messageBytesMax: MIB,
  committedBytesPerReadyMax: 4 * MIB,
  uncommittedBytesMax: 64 * MIB,
  inflightMessagesMax: 256,
  inflightBytesMax: 16 * MIB,
  snapshotChunkBytesMax: 64 * KIB,
};
