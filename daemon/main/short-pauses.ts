import { setFlagsFromString } from "node:v8";

/**
 * The event loop stands still while V8 copies what survived in its young generation. V8 lets that grow up to 16 MiB where
 * much survives, as when a state of 100,000 jobs is restored: tens of milliseconds each time, in which a leader is silent. It
 * stays at what it begins with, 1 MiB, which takes about one. So this module must be among the first imports of the program.
 *
 * V8 begins to mark the old generation, step by step, when it has no more room left than a young generation takes. Where that
 * is small this is too late: the room runs out, and all is marked at once, for 100 ms and more. So it begins when half of the
 * room that the last collection gave is used, and does not wait for an idle moment any more at 70 percent.
 */
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--incremental-marking-soft-trigger=50");
setFlagsFromString("--incremental-marking-hard-trigger=70");
