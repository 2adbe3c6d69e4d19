import { connectivityState, type Channel } from "@grpc/grpc-js";

/**
 * Calls `onStuck` each time a channel has tried to connect for `connectTimeoutMs` on end without becoming ready. The
 * answer is to close the channel and to open another one; `stop` ends the watch, and so does closing the channel.
 *
 * grpc-js 1.14 sets no time limit on its TCP connect and TLS handshake, and keepalive starts only after both. A VM that
 * vanishes in between leaves the attempt to the kernel's retransmissions, which last minutes after the VM is back.
 */
export function watchConnecting(
  channel: Channel,
  connectTimeoutMs: number,
  onStuck: () => void,
): { stop(): void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const settle = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const watch = (): void => {
    if (stopped) return;
    const state = channel.getConnectivityState(false);
    // After a failure the channel says TRANSIENT_FAILURE until it is ready again, also while it connects.
    const trying = state === connectivityState.CONNECTING || state === connectivityState.TRANSIENT_FAILURE;
    if (!trying) settle();
    else timer ??= setInterval(onStuck, connectTimeoutMs).unref();
    if (state !== connectivityState.SHUTDOWN) channel.watchConnectivityState(state, Infinity, watch);
  };
  watch();
  return {
    stop() {
      stopped = true;
      settle();
    },
  };
}
