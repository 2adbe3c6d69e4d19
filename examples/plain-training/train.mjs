/**
 * Data-parallel training with nothing but Node: ranks fit a line to noisy points. Rank 0 listens on the rendezvous
 * address that gpumesh gives every rank, adds the others' gradients to its own and sends the sum back.
 */
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const EPOCHS = 20;
const POINTS = 3_000;
const RECONNECT_DELAY_MS = 50;
const rank = Number(process.env.RANK);
const size = Number(process.env.WORLD_SIZE);
const address = { host: process.env.MASTER_ADDR, port: Number(process.env.MASTER_PORT) };

/** y = 3 x - 2 with a fixed, noise-like disturbance; every rank computes the same points and keeps its share. */
const points = Array.from({ length: POINTS }, (_, index) => {
  const x = (index / POINTS) * 2 - 1;
  return { x, y: 3 * x - 2 + 0.1 * Math.sin(index * 12.9898) };
});
const share = points.filter((_, index) => index % size === rank);

function gradient({ slope, offset }) {
  const sums = [0, 0, 0];
  for (const { x, y } of share) {
    const error = slope * x + offset - y;
    sums[0] += error * error;
    sums[1] += 2 * error * x;
    sums[2] += 2 * error;
  }
  return sums;
}

const sum = (vectors) =>
  vectors[0].map((_, index) => vectors.reduce((total, vector) => total + vector[index], 0));

/** The lines that rank 0 and one other rank exchange, one JSON vector each. */
function lines(socket) {
  const reader = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    read: async () => JSON.parse((await reader.next()).value),
    write: (vector) => socket.write(`${JSON.stringify(vector)}\n`),
    end: () => socket.end(),
  };
}

function dial() {
  return new Promise((resolve) => {
    const attempt = () => {
      const socket = connect(address, () => resolve(lines(socket)));
      socket.on("error", () => setTimeout(attempt, RECONNECT_DELAY_MS));
    };
    attempt();
  });
}

function others() {
  return new Promise((resolve) => {
    const peers = [];
    const server = createServer((socket) => {
      peers.push(lines(socket));
      if (peers.length < size - 1) return;
      server.close();
      resolve(peers);
    });
    server.listen(address);
    if (size === 1) server.close(() => resolve(peers));
  });
}

const peers = rank === 0 ? await others() : [await dial()];
const model = { slope: 0, offset: 0 };
if (rank === 0) console.log(`training on ${size} ranks, ${share.length} of ${POINTS} points each`);
for (let epoch = 1; epoch <= EPOCHS; epoch += 1) {
  let total = gradient(model);
  if (rank === 0) {
    total = sum([total, ...(await Promise.all(peers.map((peer) => peer.read())))]);
    for (const peer of peers) peer.write(total);
    console.log(`epoch ${String(epoch).padStart(2)}  loss ${(total[0] / POINTS).toFixed(4)}`);
  } else {
    peers[0].write(total);
    total = await peers[0].read();
  }
  model.slope -= (0.5 * total[1]) / POINTS;
  model.offset -= (0.5 * total[2]) / POINTS;
}
for (const peer of peers) peer.end();
const right = Math.abs(model.slope - 3) < 0.05 && Math.abs(model.offset + 2) < 0.05;
if (rank === 0)
  console.log(
    `fitted y = ${model.slope.toFixed(3)} x + ${model.offset.toFixed(3)}: ${right ? "right" : "wrong"}`,
  );
process.exitCode = right ? 0 : 1;
