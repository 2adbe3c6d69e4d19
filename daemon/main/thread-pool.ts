/**
 * A hung fsync holds a thread of libuv's pool, which by default has four for all files, DNS and crypto. libuv reads the
 * size when the pool is first used, so this module must be the first import of the program.
 */
process.env["UV_THREADPOOL_SIZE"] ??= "16";
