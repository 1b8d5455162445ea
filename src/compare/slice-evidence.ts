import { type Evidence, NO_DIFFERENCES, type SliceEvidence } from '../core/evidence.ts';
import { sortedRecord } from './difference-tally.ts';

type Parts = {
  readonly pairs: ReadonlyMap<
    string,
    Pick<SliceEvidence, 'disagreement' | 'excessDisagreement' | 'pairedFailures' | 'pairedFelt'>
  >;
  readonly errors: ReadonlyMap<string, Pick<SliceEvidence, 'liveErrors' | 'liveFelt'>>;
  readonly slow: ReadonlyMap<string, SliceEvidence['slow']>;
};

const NOTHING: SliceEvidence = {
  disagreement: NO_DIFFERENCES,
  excessDisagreement: NO_DIFFERENCES,
  pairedFailures: {},
  pairedFelt: { pairs: 0, candidate: 0, reference: 0 },
  liveErrors: {},
  liveFelt: {},
  slow: [0, 0, 0, 0],
};

/** What each fold has of each slice, by slice. Absent where no request was in any. */
export function sliceEvidence({ pairs, errors, slow }: Parts): Pick<Evidence, 'bySlice'> {
  const keys = new Set([...pairs.keys(), ...errors.keys(), ...slow.keys()]);
  if (keys.size === 0) return {};
  const slices = [...keys].map((key): readonly [string, SliceEvidence] => [
    key,
    {
      ...NOTHING,
      ...pairs.get(key),
      ...errors.get(key),
      slow: slow.get(key) ?? NOTHING.slow,
    },
  ]);
  return { bySlice: sortedRecord(slices) };
}
