/**
 * `0000:0A:00.0` and `00000000:0a:00.0` name one device: both become `00000000:0A:00.0`, whose text order is the
 * PCI bus order. Null when the text is no bus id.
 */
export function normalPciBusId(text: string | null): string | null {
  const match = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i.exec(text ?? "");
  if (match === null) return null;
  const [, domain = "", bus = "", device = "", func = ""] = match;
  return `${domain.padStart(8, "0")}:${bus}:${device}.${func}`.toUpperCase();
}
