import type * as grpc from "@grpc/grpc-js";
import { RefusedStream } from "./refused-stream.ts";

/** A batch of messages, or the largest entry alone, takes a little over 1 MiB; gRPC itself takes 4 MiB. */
const PART_BYTES_MAX = 3 * 1024 * 1024;

/**
 * The same methods, whose handlers get a RefusedStream in the place of what can not be read: gRPC would end the stream for
 * it without a word to anybody on this side, who then could not count it.
 */
export function tolerant<Definition extends grpc.ServiceDefinition>(definition: Definition): Definition {
  const methods = Object.entries(definition).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): unknown => {
      if (bytes.length > PART_BYTES_MAX) {
        return new RefusedStream("oversized", `a part of the stream has ${bytes.length} bytes`);
      }
      try {
        return method.requestDeserialize(bytes);
      } catch (error) {
        return new RefusedStream("malformed", `a part of the stream is no message: ${String(error)}`);
      }
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(methods) as Definition;
}

/** What a handler of a tolerant method got. Throws the RefusedStream that stands for what could not be read. */
export function readable<Part>(part: Part): Part {
  if (part instanceof RefusedStream) throw part;
  return part;
}
