/** What one job file may hold. The numbers stand in `docs/job-file.md` too. */
export const jobFileBytesMax = 1_048_576;
/** Lists and maps inside each other; a Batch AI job needs 7. */
export const jobFileDepthMax = 32;
/** Punctuation and scalars of the document: bounds the time that reading any text of `jobFileBytesMax` takes. */
export const jobFileTokensMax = 100_000;
/** How much a YAML document may grow by its aliases. */
export const yamlAliasesMax = 100;
/** Faults reported at once; the rest are counted. */
export const faultsMax = 100;

export const nodeCountMax = 10_000;
/** Ranks of one job. */
export const processCountMax = 100_000;
export const gpusPerNodeMax = 1_024;
export const slotsPerNodeMax = 4_096;
export const retriesMax = 100;
export const nameLengthMax = 64;
/** Linux's PATH_MAX less its terminator. */
export const pathLengthMax = 4_095;
/**
 * In UTF-16 units, so at most three times as many bytes: below Linux's limit of 131,072 bytes for one argument or
 * environment string.
 */
export const textLengthMax = 32_768;
export const listEntriesMax = 1_000;
/** Batch AI's longest and default run time. */
export const wallClockSecondsMax = 7 * 24 * 3_600;
