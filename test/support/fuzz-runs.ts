/**
 * How often a property is tried. With FUZZ_TIMES in the environment so many times as often, and with FUZZ_SEED from that seed: the
 * long suites try much more, and other values with each commit. Without a seed each run has values of its own.
 */
export function fuzzRuns(numRuns: number): { readonly numRuns: number; readonly seed?: number } {
  const { FUZZ_TIMES: times = '1', FUZZ_SEED: seed } = process.env;
  return { numRuns: numRuns * Number(times), ...(seed !== undefined && { seed: Number(seed) }) };
}
