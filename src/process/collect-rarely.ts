import { setFlagsFromString } from 'node:v8';

/** Percent by which the heap, the memory of buffers included, may grow before all of it is looked through again. */
const GROWTH_PERCENT = 300;

/**
 * Has the garbage collector of this process look through the whole heap more rarely. The engine counts the memory of buffers as
 * growth of the heap, and ours is small: a few dozen bodies of half a megabyte, all of them garbage by then, made it go through the
 * same 25 MiB of code and settings fifteen times a second, which took about half of the processor time of a large request over
 * REST and delayed all others, often for several milliseconds. Short-lived buffers are still freed by the small collections, and the
 * engine's own limit of 64 MiB for buffers since the last full collection stays, so the price is some memory within that limit.
 *
 * For processes of ours: the setting holds for the whole process.
 */
export function collectRarely(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
