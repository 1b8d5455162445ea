import type { SamplerName } from '../../core/otlp.ts';
import type { Random } from '../../core/random.ts';
import { isRecorded } from '../../core/traceparent.ts';

/** Whether a request is traced, by the `traceparent` that it came with. Allocates nothing. */
export type Sampler = (traceparent: string | undefined) => boolean;

/**
 * The samplers of OpenTelemetry, decided from the header alone, before there is a span.
 *
 * @param ratio of the samplers with one: 0 to 1.
 */
export function samplerOf(name: SamplerName, ratio: number, random: Random): Sampler {
  const root = rootOf(name, ratio, random);
  if (!name.startsWith('parentbased_')) return root;
  return (traceparent) => (traceparent === undefined ? root(undefined) : isRecorded(traceparent));
}

function rootOf(name: SamplerName, ratio: number, random: Random): Sampler {
  switch (name) {
    case 'always_on':
    case 'parentbased_always_on':
      return () => true;
    case 'always_off':
    case 'parentbased_always_off':
      return () => false;
    case 'traceidratio':
    case 'parentbased_traceidratio': {
      const below = Math.floor(ratio * WORD_VALUES);
      return (traceparent) =>
        (traceparent === undefined ? random.integer(WORD_VALUES) : hashOf(traceparent)) < below;
    }
  }
}

const WORD_VALUES = 2 ** 32;

/** The four words of the trace's id, as the SDK's TraceIdRatioBasedSampler folds them, so that all services decide alike. */
function hashOf(traceparent: string): number {
  let folded = 0;
  for (let at = 3; at < 35; at += 8) folded ^= Number.parseInt(traceparent.slice(at, at + 8), 16);
  return folded >>> 0;
}
