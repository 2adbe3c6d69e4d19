import { z } from "zod";

/** RFC 1123 label: what a name must be so that it can stand in a DNS name, a URI, a path and a host file. */
const labelPattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const labelCharactersMax = 63;

function label(what: string) {
  return z
    .string()
    .max(labelCharactersMax, `${what} has at most ${labelCharactersMax} characters`)
    .regex(
      labelPattern,
      `${what} has small letters, digits and inner hyphens only, for example "gpu-01"; give one of that shape`,
    );
}

/** The name of a daemon (a node) or of a client: 1 to 63 characters, a DNS label in small letters. */
export const nodeNameSchema = label("a name");

/** The id of a mesh: the same shape as a name, so that it is safe in the URI of a certificate. */
export const meshIdSchema = label("a mesh id");
