/** How long a node may run ranks after the send of an accepted renewal (L of the lease rule). */
export const LEASE_MS = 6_000;
/** Clock rates of two machines differ by at most this much (rho). */
const CLOCK_RATE_ERROR = 0.01;
/** Shim poll and SIGKILL (K): by then a rank whose lease ran out is dead. */
const KILL_MS = 2_000;
const SLACK_MS = 500;

/**
 * Without a renewal for so long, counted from the newest one received and not before the own election, every rank of
 * the session is dead: L (1 + 2 rho) + slack + K.
 */
export const EXPIRY_MS = LEASE_MS * (1 + 2 * CLOCK_RATE_ERROR) + SLACK_MS + KILL_MS;

/** TERM to KILL for ranks that are stopped by order. */
export const STOP_GRACE_MS = 5_000;
