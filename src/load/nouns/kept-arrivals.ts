import { createHash } from 'node:crypto';
import type { Arrivals } from './arrivals.ts';

/** Arrivals as a report keeps them. Recorded ones may be millions: a digest stands for them. */
export type KeptArrivals = Exclude<Arrivals, { kind: 'recorded' }> | KeptRecording;

type KeptRecording = {
  readonly kind: 'recorded';
  readonly count: number;
  /** From the start of the load to the last arrival. */
  readonly durationMs: number;
  /** In hexadecimal, of the times in milliseconds, each as a 64-bit float with its lowest byte first. */
  readonly sha256: string;
  /** The name of the file that they were read from; undefined: none. */
  readonly file?: string | undefined;
};

export function keptArrivals(arrivals: Arrivals): KeptArrivals {
  if (arrivals.kind !== 'recorded') return arrivals;
  const { kind, atMs, file } = arrivals;
  return {
    kind,
    count: atMs.length,
    durationMs: atMs.at(-1) ?? 0,
    sha256: createHash('sha256').update(Float64Array.from(atMs)).digest('hex'),
    ...(file === undefined ? {} : { file }),
  };
}
