import t from 'tap';
import { joinByteStrings } from '../../src/core/byte-strings.ts';
import type { Observation } from '../../src/core/outcome.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { saidOfBoth } from '../../src/examples/said.ts';
import { aTensor } from '../support/a-tensor.ts';

const CLASSES = { classOutputs: ['scores'], labels: ['shirt', 'coat', 'bag'] };

function saying(...outputs: readonly Tensor[]): Observation {
  return { kind: 'answer', outputs, computeMs: 1 };
}

function scores(...rows: readonly (readonly number[])[]): Tensor {
  return aTensor(rows.flat(), { name: 'scores', shape: [rows.length, rows[0]?.length ?? 0] });
}

t.test('of a classifier the best class is said, of the first row that differs', async (t) => {
  const [same, a, b] = [
    [0.5, 0.25, 0.25],
    [0.125, 0.75, 0.125],
    [0.25, 0.25, 0.5],
  ];
  const said = saidOfBoth(saying(scores(same, a)), saying(scores(same, b)), CLASSES);
  const top = { row: 1, class: 1, label: 'coat', score: 0.75 };
  t.match(said.stable, { kind: 'answer', outputs: [{ name: 'scores', shape: [2, 3], top }] });
  t.match(said.candidate, { outputs: [{ top: { row: 1, class: 2, label: 'bag', score: 0.5 } }] });
});

t.test(
  'of anything else the first numbers are said, and what JSON has no word for as text',
  async (t) => {
    const numbers = aTensor([1, Number.NaN, Number.POSITIVE_INFINITY, 4, 5, 6, 7, 8, 9, 10]);
    const { stable } = saidOfBoth(saying(numbers), saying(numbers), CLASSES);
    t.match(stable, { outputs: [{ name: 'x', first: [1, 'NaN', 'Infinity', 4, 5, 6, 7, 8] }] });
  },
);

t.test('text is cut off, and a length that lies ends it', async (t) => {
  const data = joinByteStrings([Buffer.from('ok'), Buffer.from('y'.repeat(10_000))]);
  const text = { name: 'text', dtype: 'BYTES', shape: [2], data } as const;
  const lying = { ...text, data: data.subarray(0, 100) };
  const said = saidOfBoth(saying(text), saying(lying), CLASSES);
  t.match(said.stable, { outputs: [{ first: ['ok', 'y'.repeat(80)] }] });
  t.match(said.candidate, { outputs: [{ first: ['ok'] }] });
});

t.test('a failure is said by its code, and a long message is cut off', async (t) => {
  const failed = { kind: 'failure', code: 'runtime_failed', message: 'x'.repeat(999) } as const;
  const { candidate } = saidOfBoth(saying(scores([1, 2, 3])), failed, CLASSES);
  t.same(candidate, { kind: 'failure', code: 'runtime_failed', message: 'x'.repeat(200) });
});

t.test('a long answer is not looked through for its first numbers', async (t) => {
  const data = new Uint8Array(50_000_000);
  const half = { name: 'h', dtype: 'FP16', shape: [25_000_000], data } as const;
  const begun = performance.now();
  saidOfBoth(saying(half), saying(half), CLASSES);
  t.ok(performance.now() - begun < 50);
});
