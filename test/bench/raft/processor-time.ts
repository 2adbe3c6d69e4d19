import { readFileSync } from "node:fs";

/** The kernel counts processor time for /proc in hundredths of a second (USER_HZ, the same on all machines that Linux runs on). */
const tickMs = 10;

/** The processor time that a process has used so far, with all its threads, in milliseconds. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the program's name, in parentheses and with any character in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
