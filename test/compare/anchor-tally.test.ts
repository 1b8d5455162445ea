import t from 'tap';
import { AnchorTally } from '../../src/compare/anchor-tally.ts';
import { NO_ANCHOR } from '../../src/core/evidence.ts';
import type { Observation } from '../../src/core/outcome.ts';
import { aTensor } from './builders.ts';

const COMPARATOR = {
  name: 'equal',
  score: (a: readonly { data: Uint8Array }[], b: readonly { data: Uint8Array }[]) => {
    const isSame = Buffer.from(a[0]?.data ?? []).equals(Buffer.from(b[0]?.data ?? []));
    return { score: isSame ? 0 : 1, difference: isSame ? ('same' as const) : ('values' as const) };
  },
};

function answer(...values: readonly number[]): Observation {
  return { kind: 'answer', outputs: [aTensor(values)], computeMs: 1 };
}

const FAILED: Observation = { kind: 'failure', code: 'runtime_failed', message: 'no' };

t.test('pairs are counted by whether the anchor answered, over a restart', async (t) => {
  const first = new AnchorTally(COMPARATOR, NO_ANCHOR);
  first.add({ candidate: answer(1), anchor: undefined });
  first.add({ candidate: answer(1), anchor: answer(1) });
  first.add({ candidate: answer(1), anchor: FAILED });
  const second = new AnchorTally(COMPARATOR, first.snapshot());
  second.add({ candidate: answer(1), anchor: answer(2) });
  second.add({ candidate: FAILED, anchor: answer(2) });
  const grid = { 0: 1, 1000: 1 };
  t.same(second.snapshot(), { answered: 3, failed: 1, disagreement: { down: grid, up: grid } });
});
