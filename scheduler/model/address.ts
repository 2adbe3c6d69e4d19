/** Splits `host:port` (IPv6 in brackets). Null when it is neither. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(address);
  if (match === null) return null;
  const port = Number(match[3]);
  const host = match[1] ?? match[2] ?? "";
  return port >= 1 && port <= 65_535 ? { host, port } : null;
}
