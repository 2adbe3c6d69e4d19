import type { Socket } from "node:net";
import { readServerName } from "./client-hello.ts";

export type HelloResult =
  /** The socket is paused and holds all its bytes again, so that a TLS server can take it over. */
  | { readonly kind: "hello"; readonly serverName: string | null }
  | { readonly kind: "refused"; readonly reason: string }
  /** It ended without a byte, as port probes and load balancers do. */
  | { readonly kind: "silent" };

export type HelloLimits = { readonly helloBytesMax: number; readonly helloTimeoutMs: number };

/** Reads the server name that a fresh connection asks for, and calls back once, with the bytes given back. */
export function peekHello(
  socket: Socket,
  limits: HelloLimits,
  onResult: (result: HelloResult) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);

  const finish = (result: HelloResult): void => {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("close", onEnd);
    socket.off("end", onEnd);
    onResult(result);
  };
  const refuse = (reason: string): void => finish({ kind: "refused", reason });

  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const seen = readServerName(bytes);
    switch (seen.kind) {
      case "need-more":
        if (bytes.length >= limits.helloBytesMax)
          refuse(`its TLS hello is longer than ${limits.helloBytesMax} bytes`);
        return;
      case "not-tls":
        return refuse("it does not speak TLS; use a gpumesh client");
      case "name":
      case "none":
        // Pausing comes first: a flowing socket would hand the bytes straight back to the next listener.
        socket.pause();
        socket.unshift(bytes);
        return finish({ kind: "hello", serverName: seen.kind === "name" ? seen.name : null });
    }
  };
  const onEnd = (): void => {
    if (bytes.length === 0) finish({ kind: "silent" });
    else refuse("it ended within its TLS hello");
  };

  const timer = setTimeout(
    () => refuse(`it sent no whole TLS hello within ${limits.helloTimeoutMs} ms`),
    limits.helloTimeoutMs,
  );
  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.on("close", onEnd);
}
