import { setFlagsFromString } from "node:v8";

/**
 * The event loop stands still while V8 copies what survived in its young generation. V8 lets that grow up to 16 MiB where
 * much survives, as when a state of 100,000 jobs is restored: tens of milliseconds each time, in which a leader is silent. It
 * stays at what it begins with, 1 MiB, which takes about one. So this module must be among the first imports of the program.
 */
setFlagsFromString("--semi-space-growth-factor=1");
