import { randomBytes } from "node:crypto";
import { monotonicNs } from "../raw-log.ts";
import { clientArguments, KV } from "./kv.ts";
import type { ClientTls, KvClient } from "./kv.ts";
import { processorMs } from "./processor-time.ts";

/** One round of load on one member. */
export interface LoadOrder {
  readonly address: string;
  readonly tls: ClientTls;
  readonly inFlight: number;
  readonly connections: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** The members' processes. */
  readonly pids: readonly number[];
}

export interface LoadReport {
  readonly commands: number;
  /** On the machine's monotonic clock. */
  readonly startNs: number;
  readonly stopNs: number;
  /** From the call to its answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The processor time of each process in the order of `pids`, and of this one. */
  readonly membersMs: readonly number[];
  readonly clientMs: number;
}

/*
 * The client program: loads whichever group it is told with puts of random keys, so many in flight, each following the
 * answer of another. Answers each order of its parent with a report, or with a text that says why there is none.
 */
process.on("message", (order: LoadOrder) => {
  load(order).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.(String(error)),
  );
});

// A profile is written only by a process that exits by itself.
process.on("SIGTERM", () => process.exit());

async function load(order: LoadOrder): Promise<LoadReport> {
  const { address, tls, connections } = order;
  const clients = Array.from({ length: connections }, () => new KV(...clientArguments(address, tls)));
  try {
    return await measure(clients, order);
  } finally {
    for (const client of clients) client.close();
  }
}

function measure(clients: readonly KvClient[], order: LoadOrder): Promise<LoadReport> {
  const { inFlight, keys, valueBytes, warmUpMs, measureMs, pids } = order;
  const value = randomBytes(valueBytes);
  const latenciesMs: number[] = [];
  let begun: Pick<LoadReport, "startNs" | "membersMs" | "clientMs"> | null = null;
  let ending = false;
  let waiting = inFlight;
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      begun = {
        startNs: monotonicNs(),
        membersMs: pids.map(processorMs),
        clientMs: processorMs(process.pid),
      };
      setTimeout(end, measureMs);
    };
    let report: LoadReport | null = null;
    const end = (): void => {
      const stopNs = monotonicNs();
      ending = true;
      if (begun === null) return;
      const { startNs, membersMs, clientMs } = begun;
      const sorted = Float64Array.from(latenciesMs).toSorted();
      report = {
        commands: latenciesMs.length,
        startNs,
        stopNs,
        p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
        p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
        membersMs: pids.map((pid, nth) => processorMs(pid) - (membersMs[nth] ?? 0)),
        clientMs: processorMs(process.pid) - clientMs,
      };
    };
    const next = (client: KvClient): void => {
      if (ending) {
        waiting -= 1;
        if (waiting === 0 && report !== null) resolve(report);
        return;
      }
      const key = Buffer.from(String(Math.floor(Math.random() * keys)).padStart(8, "0"));
      const at = performance.now();
      client.put({ key, value }, (error) => {
        if (error !== null) {
          ending = true;
          reject(new Error(`a put failed: ${error.message}`));
          return;
        }
        if (begun !== null && !ending) latenciesMs.push(performance.now() - at);
        next(client);
      });
    };
    setTimeout(begin, warmUpMs);
    for (let nth = 0; nth < inFlight; nth += 1) {
      const client = clients[nth % clients.length];
      if (client !== undefined) next(client);
    }
  });
}
