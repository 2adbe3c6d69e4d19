/** What a call that can be tried again failed with. */
export interface CallFault {
  /** One line. */
  readonly error: string;
  /** A daemon answered: the connection is good. */
  readonly answered: boolean;
  /** It will not get better by trying again: what is there is not a daemon of this mesh, or does not take us. */
  readonly permanent: boolean;
}

interface Rule {
  readonly pattern: RegExp;
  readonly error: string;
  readonly permanent: boolean;
}

/** Matched in turn against what grpc-js leaves of a Node or OpenSSL error in the details of a status. */
const rules: readonly Rule[] = [
  {
    pattern: /ENOTFOUND|EAI_AGAIN|Name resolution failed/,
    error: "the host name is not known here",
    permanent: false,
  },
  { pattern: /ECONNREFUSED/, error: "nothing listens there (connection refused)", permanent: false },
  {
    pattern: /EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN/,
    error: "there is no route to it",
    permanent: false,
  },
  { pattern: /ETIMEDOUT/, error: "the connection timed out", permanent: false },
  {
    pattern: /CERT_HAS_EXPIRED|certificate has expired/,
    error: "the daemon's certificate has expired, or this machine's clock is wrong",
    permanent: true,
  },
  {
    pattern: /CERT_NOT_YET_VALID|certificate is not yet valid/,
    error: "the daemon's certificate is not valid yet: check this machine's clock",
    permanent: true,
  },
  {
    pattern:
      /certificate required|alert unknown ca|alert bad certificate|alert certificate (?:expired|revoked)/i,
    error: "the daemon does not take this context's certificate: it is expired, or of another mesh",
    permanent: true,
  },
  {
    pattern:
      /self-signed certificate|unable to verify|unable to get (?:local )?issuer|certificate signature failure/,
    error: "what answers there belongs to another mesh",
    permanent: true,
  },
  {
    pattern: /ALTNAME_INVALID|does not match certificate's altnames/,
    error: "what answers there is not a daemon of the mesh",
    permanent: true,
  },
  {
    pattern: /EPROTO|wrong version number|packet length too long/i,
    error: "what listens there is no gpumesh daemon",
    permanent: true,
  },
  {
    pattern:
      /ECONNRESET|EPIPE|socket hang up|socket disconnected|Socket closed|Connection (?:closed|dropped)|GOAWAY/i,
    error: "the connection was closed",
    permanent: false,
  },
];

/**
 * The connection stood and was closed with no word. TLS 1.3 sends a client's certificate after its own handshake is
 * done, so a daemon that does not take it can not say so any more; its log does.
 */
const silentRefusal =
  /^No connection established\. Last error: Failed to connect(?: \([^)]*\))?\.(?: Resolution note: ?)?$/;

/** The fault behind a status that says that the call did not get through. */
export function callFaultOf(details: string): CallFault {
  const rule = rules.find(({ pattern }) => pattern.test(details));
  if (rule !== undefined) return { error: rule.error, answered: false, permanent: rule.permanent };
  const line = details.split("\n", 1)[0]?.trim() ?? "";
  if (silentRefusal.test(line)) {
    const error =
      "the daemon closed the connection; its log says why: most likely it does not take this context";
    return { error, answered: false, permanent: false };
  }
  const unconnected = /^(?:No connection established|Failed to connect|Channel closed)/.test(line);
  return { error: line === "" ? "no reason given" : line, answered: !unconnected, permanent: false };
}
