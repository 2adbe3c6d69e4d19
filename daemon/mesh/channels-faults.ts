/** Why a connection to a daemon did not come about. */
export type ChannelFaultCode =
  | "bad-address"
  | "unknown-host"
  | "refused"
  | "unreachable"
  | "timeout"
  | "not-tls"
  | "other-mesh"
  | "other-name"
  | "expired"
  | "not-yet-valid"
  | "turned-away"
  | "failed";

/** One line that says what happened, where, and what to check next; `code` is for programs. */
export class ChannelError extends Error {
  readonly code: ChannelFaultCode;
  /** Whether the same call may work later without anyone changing anything. */
  readonly retryable: boolean;

  constructor(code: ChannelFaultCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ChannelError";
    this.code = code;
    this.retryable = retryableCodes.has(code);
  }
}

const retryableCodes: ReadonlySet<ChannelFaultCode> = new Set([
  "unknown-host",
  "refused",
  "unreachable",
  "timeout",
]);

type Rule = {
  readonly code: ChannelFaultCode;
  readonly pattern: RegExp;
  readonly says: (address: string) => string;
};

/**
 * Matched in turn against the error's code and message. Names such as CERT_HAS_EXPIRED are those of Node and OpenSSL;
 * the lower-case phrases are what grpc-js leaves of them in the details of an UNAVAILABLE status.
 */
const rules: readonly Rule[] = [
  {
    code: "unknown-host",
    pattern: /ENOTFOUND|EAI_AGAIN|Name resolution failed/,
    says: (address) =>
      `the host name of ${address} is not known here; check its spelling and the DNS of this machine`,
  },
  {
    code: "refused",
    pattern: /ECONNREFUSED/,
    says: (address) =>
      `nothing listens at ${address}; check that the daemon there runs and that the port is right`,
  },
  {
    code: "unreachable",
    pattern: /EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN/,
    says: (address) =>
      `there is no route to ${address}; check the address, and the network between the two machines`,
  },
  {
    code: "timeout",
    pattern: /ETIMEDOUT|DEADLINE_EXCEEDED|Deadline exceeded/,
    says: (address) => `${address} did not answer in time; check that a firewall lets its port through`,
  },
  {
    code: "other-name",
    pattern: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/,
    says: (address) =>
      `the daemon at ${address} is not the one that was asked for; check which node has this address`,
  },
  {
    code: "expired",
    pattern: /CERT_HAS_EXPIRED|certificate has expired/,
    says: (address) =>
      `the certificate of the daemon at ${address} has expired; check both clocks, or join that daemon to the mesh again`,
  },
  {
    code: "not-yet-valid",
    pattern: /CERT_NOT_YET_VALID|certificate is not yet valid/,
    says: (address) =>
      `the certificate of the daemon at ${address} is not valid yet; check the clock of this machine`,
  },
  {
    code: "turned-away",
    pattern:
      /CERTIFICATE_REQUIRED|certificate required|alert unknown ca|alert bad certificate|alert certificate expired/i,
    says: turnedAway,
  },
  {
    code: "other-mesh",
    pattern:
      /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_SIGNATURE_FAILURE|INVALID_PURPOSE|INVALID_CA|self-signed certificate|unable to verify|unable to get (local )?issuer|certificate signature failure|unsuitable certificate purpose|invalid CA certificate/,
    says: (address) =>
      `the daemon at ${address} answers with another mesh's certificate; check the address, or fetch the credentials of its mesh`,
  },
  {
    code: "not-tls",
    pattern:
      /EPROTO|WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|wrong version number|packet length too long/i,
    says: (address) => `what listens at ${address} is no gpumesh daemon; check the port`,
  },
  {
    code: "turned-away",
    pattern:
      /ECONNRESET|EPIPE|socket hang up|socket disconnected|Socket closed|Failed to connect|Connection closed/,
    says: turnedAway,
  },
];

/**
 * Maps whatever a connection attempt failed with to one line: a Node or OpenSSL error, a grpc-js status error, or the
 * text that grpc-js keeps of either. It is for failed connections: the status that a daemon answers with is not one.
 */
export function channelErrorOf(error: unknown, address: string): ChannelError {
  if (error instanceof ChannelError) return error;
  const text = describe(error);
  const rule = rules.find(({ pattern }) => pattern.test(text));
  if (rule !== undefined) return new ChannelError(rule.code, rule.says(address), error);
  const first = (text.split("\n", 1)[0] ?? "").trim();
  return new ChannelError(
    "failed",
    `no connection to ${address}: ${first}; see the log of the daemon there`,
    error,
  );
}

function turnedAway(address: string): string {
  return `the daemon at ${address} closed the connection; its log says why, most often that this certificate is expired, revoked or of another mesh`;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? `${error.code} ` : "";
  const nested = error instanceof AggregateError ? error.errors.map(describe).join(" ") : "";
  return `${code}${error.message} ${nested}`;
}
