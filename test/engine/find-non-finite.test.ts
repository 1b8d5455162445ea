import t from 'tap';
import { findNonFinite } from '../../src/engine/find-non-finite.ts';
import { aTensor } from '../support/a-tensor.ts';

const answer = (...outputs: ReturnType<typeof aTensor>[]) =>
  ({ kind: 'answer', computeMs: 1, outputs }) as const;

t.test('a request that runs alone has all of an output, also one without its rows', async (t) => {
  const scalar = aTensor([Infinity], { name: 'total', shape: [] });
  t.strictSame(findNonFinite([answer(scalar)], [3]), [{ run: 0, request: 0, output: 'total' }]);
  t.strictSame(findNonFinite([answer(scalar)], [1, 2]), [], 'it does not divide into rows');
});

t.test('each output of each run is named, and a failed run has none', async (t) => {
  const failure = { kind: 'failure', code: 'runtime_failed', message: 'no' } as const;
  const rows = (name: string, ...values: number[]) => aTensor(values, { name, shape: [2, 1] });
  const runs = [failure, answer(rows('a', 1, Number.NaN), rows('b', -Infinity, 1))];
  t.strictSame(findNonFinite(runs, [1, 1]), [
    { run: 1, request: 1, output: 'a' },
    { run: 1, request: 0, output: 'b' },
  ]);
});
