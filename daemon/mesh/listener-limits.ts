/** What one listener takes at most from strangers and from members. */
export type ListenerLimits = {
  /** A TLS ClientHello may be this long, records and all. */
  readonly helloBytesMax: number;
  /** From the connection to the end of the ClientHello. */
  readonly helloTimeoutMs: number;
  /** From the end of the ClientHello to the end of the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** Connections that have not finished their TLS handshake. */
  readonly handshakesMax: number;
  /** Connections in all. */
  readonly connectionsMax: number;
  /** Connections behind the joining door, whose callers nobody knows yet. */
  readonly joiningConnectionsMax: number;
  /** A connection behind the joining door ends after this long, whatever it does. */
  readonly joiningConnectionMsMax: number;
  /** `stop` waits this long for calls in progress before it cuts their connections. */
  readonly drainMs: number;
};

export const defaultListenerLimits: ListenerLimits = {
  helloBytesMax: 16 * 1024,
  helloTimeoutMs: 5_000,
  handshakeTimeoutMs: 5_000,
  handshakesMax: 1_024,
  connectionsMax: 16_384,
  joiningConnectionsMax: 128,
  joiningConnectionMsMax: 30_000,
  drainMs: 1_000,
};
