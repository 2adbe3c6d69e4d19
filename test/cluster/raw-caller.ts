import { readFileSync } from "node:fs";
import { connect as connectHttp2, constants } from "node:http2";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** What came back: a gRPC status, or no answer but the end of the stream or connection. */
export type Answer = { readonly kind: "status"; readonly code: number } | { readonly kind: "closed" };

const answerMsMax = 15_000;

/** Speaks to a daemon's port below gRPC, with the client's own certificate. */
export class RawCaller {
  readonly #host: string;
  readonly #port: number;
  readonly #contextDir: string;

  constructor(address: string, contextDir: string) {
    const [host = "", port = ""] = address.split(":");
    this.#host = host;
    this.#port = Number(port);
    this.#contextDir = contextDir;
  }

  /** Sends `bytes` in place of HTTP/2 and resolves when the daemon has closed the connection. */
  async sendGarbage(bytes: Buffer): Promise<void> {
    const socket = this.#connect();
    try {
      await new Promise<void>((done, fail) => {
        const timer = setTimeout(() => fail(new Error("the connection stays open")), answerMsMax);
        socket.once("secureConnect", () => socket.write(bytes)).on("error", () => undefined);
        socket.resume().once("close", () => {
          clearTimeout(timer);
          done();
        });
      });
    } finally {
      socket.destroy();
    }
  }

  /** Calls `/gpumesh.v1.SERVICE/METHOD` with these bytes as the body, whatever they are. */
  async call(method: string, body: Buffer): Promise<Answer> {
    const session = connectHttp2(`https://${this.#host}:${this.#port}`, {
      createConnection: () => this.#connect(),
    });
    session.on("error", () => undefined);
    try {
      return await new Promise<Answer>((done, fail) => {
        const timer = setTimeout(() => fail(new Error(`no answer to ${method}`)), answerMsMax);
        const answer = (given: Answer): void => {
          clearTimeout(timer);
          done(given);
        };
        const request = session.request({
          [constants.HTTP2_HEADER_METHOD]: "POST",
          [constants.HTTP2_HEADER_PATH]: `/gpumesh.v1.${method}`,
          [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
          te: "trailers",
        });
        const look = (headers: Readonly<Record<string, unknown>>): void => {
          if (headers["grpc-status"] !== undefined)
            answer({ kind: "status", code: Number(headers["grpc-status"]) });
        };
        request.on("response", look).on("trailers", look);
        request.on("error", () => undefined).on("close", () => answer({ kind: "closed" }));
        request.resume().end(body);
      });
    } finally {
      session.destroy();
    }
  }

  #connect(): TLSSocket {
    const read = (name: string): string => readFileSync(join(this.#contextDir, name), "utf8");
    return connectTls({
      host: this.#host,
      port: this.#port,
      servername: "daemon.gpumesh",
      ALPNProtocols: ["h2"],
      ca: read("ca.pem"),
      cert: read("client.pem"),
      key: read("client.key"),
    });
  }
}

/** A gRPC message as it stands on the wire: a flag, its length, its bytes. */
export function framed(message: Buffer, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
