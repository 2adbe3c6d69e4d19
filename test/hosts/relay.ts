/** relay.ts PATH HOST PORT: passes every connection to the Unix socket PATH on to HOST:PORT, as that is seen from here. */
import { connect, createServer } from "node:net";

const [path = "", host = "", port = ""] = process.argv.slice(2);

createServer((near) => {
  const far = connect({ host, port: Number(port) });
  near.on("error", () => far.destroy()).on("close", () => far.destroy());
  far.on("error", () => near.destroy()).on("close", () => near.destroy());
  near.pipe(far).pipe(near);
}).listen(path);
