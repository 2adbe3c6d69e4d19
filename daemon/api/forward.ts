import { Metadata, status } from "@grpc/grpc-js";
import type { ClientReadableStream, ServerWritableStream, ServiceError } from "@grpc/grpc-js";
import type { ApiClient } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { Peers } from "../mesh/peers.ts";
import { CallError, callErrorOf } from "./call-error.ts";

/** Set on a forwarded call: it goes no further, so that two daemons that each hold the other for the leader end it. */
const FORWARDED_KEY = "gpumesh-forwarded-for";
const FORWARD_TIMEOUT_MS = 15_000;

/** Sends users' calls on to the leader, naming the user they are for. */
export class Forwarder {
  readonly #peers: Peers;
  readonly #leader: () => string | null;

  constructor(peers: Peers, leader: () => string | null) {
    this.#peers = peers;
    this.#leader = leader;
  }

  unary<Reply>(
    call: { readonly metadata: Metadata },
    user: string,
    send: (api: ApiClient, metadata: Metadata, deadline: Date, done: Done<Reply>) => void,
  ): Promise<Reply> {
    const api = this.#leaderApi(call.metadata);
    const deadline = new Date(Date.now() + FORWARD_TIMEOUT_MS);
    return new Promise((resolve, reject) => {
      send(api, forwardedFor(user), deadline, (error, reply) => {
        if (error !== null) reject(callErrorOf(error));
        else if (reply === undefined) reject(new CallError(status.INTERNAL, "the leader answered nothing"));
        else resolve(reply);
      });
    });
  }

  stream<Request, Reply>(
    call: ServerWritableStream<Request, Reply>,
    user: string,
    open: (api: ApiClient, metadata: Metadata) => ClientReadableStream<Reply>,
  ): void {
    relay(open(this.#leaderApi(call.metadata), forwardedFor(user)), call);
  }

  #leaderApi(metadata: Metadata): ApiClient {
    const name = metadata.get(FORWARDED_KEY).length > 0 ? null : this.#leader();
    const line = name === null ? null : this.#peers.line(name);
    if (line === null) {
      const why =
        "this daemon does not lead and knows no leader at the moment; try again shortly, or another daemon";
      throw new CallError(status.UNAVAILABLE, why);
    }
    return line.api;
  }
}

export type Done<Reply> = (error: ServiceError | null, reply?: Reply) => void;

/** The user a forwarded call is for; null when the call comes from its user. Only a daemon's word counts. */
export function forwardedUser(metadata: Metadata): string | null {
  const value = metadata.get(FORWARDED_KEY)[0];
  return typeof value === "string" ? value : null;
}

function forwardedFor(user: string): Metadata {
  const metadata = new Metadata();
  metadata.set(FORWARDED_KEY, user);
  return metadata;
}

/** Copies a stream from another daemon to the caller, at the caller's pace. */
export function relay<Request, Reply>(
  source: ClientReadableStream<Reply>,
  call: ServerWritableStream<Request, Reply>,
): void {
  source.on("data", (message: Reply) => {
    if (call.write(message)) return;
    source.pause();
    call.once("drain", () => source.resume());
  });
  source.on("end", () => call.end());
  source.on("error", (error: ServiceError) => call.emit("error", callErrorOf(error)));
  call.on("cancelled", () => source.cancel());
  if (call.cancelled) source.cancel();
}
