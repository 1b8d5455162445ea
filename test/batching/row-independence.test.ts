import fc from 'fast-check';
import t from 'tap';
import {
  type ProbeFinding,
  type ProbeRun,
  probeRows,
} from '../../src/batching/row-independence.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { Dtype, Signature, Tensor } from '../../src/core/tensor.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';
import { whole } from './builders.ts';

type Rows = readonly (readonly number[])[];

/** A model of FP32 [-1, 3] -> [-1, 3]. */
type Model = (rows: Rows, run: number) => Rows;

const FP32: Signature = {
  inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, 3] }],
  outputs: [{ name: 'y', dtype: 'FP32', shape: [-1, 3] }],
};

type Pace = (rows: number) => number;

/** What the probe finds of a model, and the runs that it asked for. `pace`: milliseconds of a run. */
function probe(
  model: Model,
  { signature = FP32, rowsMax = 32, pace = (rows: number): number => rows } = {},
) {
  const runs: ProbeRun[] = [];
  const steps = probeRows(signature, { rowsMax, random: seededRandom(7) });
  let step = steps.next();
  while (!step.done) {
    runs.push(step.value);
    step = steps.next(reply(model, step.value, { number: runs.length, pace }));
  }
  return { finding: step.value satisfies ProbeFinding, runs };
}

function reply(model: Model, { tensors, rows }: ProbeRun, run: { number: number; pace: Pace }) {
  const [input] = tensors.map(whole);
  const values = valuesOf(input);
  const width = values.length / rows;
  const split = Array.from({ length: rows }, (_, at) => values.slice(at * width, (at + 1) * width));
  try {
    const answered = model(split, run.number);
    const shape = [answered.length, answered[0]?.length ?? 0];
    const outputs: Tensor[] = [aTensor(answered.flat(), { name: 'y', shape })];
    return { kind: 'outputs', outputs, ms: run.pace(rows) } as const;
  } catch (error) {
    return { kind: 'failed', message: String(error) } as const;
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const column = (rows: Rows, at: number) => rows.map((row) => row[at] ?? 0);

const APART: Readonly<Record<string, Model>> = {
  'each value by itself': (rows) => rows.map((row) => row.map((value) => value * 2 + 1)),
  'a softmax within the row': (rows) =>
    rows.map((row) => {
      const exps = row.map(Math.exp);
      return exps.map((value) => value / sum(exps));
    }),
  'sums that round by the number of rows': (rows) =>
    rows.map((row) => row.map((value) => value * (1 + rows.length * 1e-6))),
};

for (const [name, model] of Object.entries(APART)) {
  t.test(`rows are apart: ${name}`, async (t) => {
    const { finding, runs } = probe(model);
    t.same(finding, { kind: 'apart' });
    t.ok(runs.length <= 30, `${runs.length} runs`);
  });
}

const MIXED: Readonly<Record<string, Model>> = {
  'the mean over all rows': (rows) =>
    rows.map((row) => row.map((value, at) => value - sum(column(rows, at)) / rows.length)),
  'a cumulative sum': (rows) =>
    rows.map((row, upTo) => row.map((_, at) => sum(column(rows.slice(0, upTo + 1), at)))),
  'a cumulative sum from the end': (rows) =>
    rows.map((row, from) => row.map((_, at) => sum(column(rows.slice(from), at)))),
  'rows in the order of their values': (rows) =>
    [...rows].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0)),
  'a scale taken over all values': (rows) => {
    const scale = Math.max(...rows.flat().map(Math.abs)) / 127;
    return rows.map((row) => row.map((value) => Math.round(value / scale) * scale));
  },
  'a branch on one huge value': (rows) =>
    rows.flat().some((value) => value > 1e6) ? rows.map((row) => row.map(() => 0)) : rows,
  'a branch on NaN': (rows) =>
    rows.flat().some(Number.isNaN) ? rows.map((row) => row.map(() => 1)) : rows,
  'one row fewer': (rows) => rows.slice(1),
  'as many rows as it finds boxes': (rows) => [...rows, ...rows],
  'other answers for other numbers of rows': (rows) =>
    rows.map((row) => row.map((value) => value + (rows.length > 4 ? 1 : 0))),
  'a run of several rows fails': (rows) => {
    if (rows.length > 1) throw new Error('one row only');
    return rows;
  },
};

for (const [name, model] of Object.entries(MIXED)) {
  t.test(`rows are mixed: ${name}`, async (t) => {
    const { finding } = probe(model);
    t.equal(finding.kind, 'mixed');
    t.match(finding, { because: /./ });
  });
}

t.test(
  'a model that gives two answers to the same run is allowed only that much between neighbours',
  async (t) => {
    const noisy: Model = (rows, run) =>
      rows.map((row) => row.map((value) => value + (run % 3) * 1e-7));
    t.same(probe(noisy).finding, { kind: 'apart' });
    const noisyAndMixed: Model = (rows, run) =>
      rows.map((row) =>
        row.map((value) => value + (run % 3) * 1e-7 + (rows.flat().includes(0) ? 1e-3 : 0)),
      );
    t.equal(probe(noisyAndMixed).finding.kind, 'mixed');
  },
);

t.test('a model that answers no made-up row is not known, with its own words', async (t) => {
  const { finding } = probe(() => {
    throw new Error('expected a sentence');
  });
  t.match(finding, { kind: 'unknown', because: /expected a sentence/ });
});

t.test('strings are not made up', async (t) => {
  const inputs = [{ name: 'text', dtype: 'BYTES' as Dtype, shape: [-1, 1] }];
  t.match(probe((rows) => rows, { signature: { ...FP32, inputs } }).finding, {
    kind: 'unknown',
    because: /'text' takes strings/,
  });
});

t.test(
  'no run has more rows than a batch may have, and a slow model gets no large ones',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 64 }),
        fc.integer({ min: 1, max: 100 }),
        async (rowsMax, ms) => {
          const { finding, runs } = probe((rows) => rows, { rowsMax, pace: (rows) => rows * ms });
          t.same(finding, { kind: 'apart' });
          const most = Math.max(...runs.map(({ rows }) => rows));
          t.ok(most <= rowsMax && (most <= 4 || most * ms <= 400), `${most} rows of ${ms} ms`);
        },
      ),
      { numRuns: 40 },
    );
  },
);

t.test('free dimensions are tried until the model answers', async (t) => {
  const signature: Signature = { ...FP32, inputs: [{ name: 'x', dtype: 'FP32', shape: [-1, -1] }] };
  const picky: Model = (rows) => {
    if (rows[0]?.length !== 32) throw new Error('expected 32 wide');
    return rows;
  };
  t.same(probe(picky, { signature }).finding, { kind: 'apart' });
});

t.test('a model that is too slow is not probed, and may be the next time', async (t) => {
  const slow = (pace: Pace) => probe((rows) => rows, { pace });
  const { finding, runs } = slow((rows) => rows * 101);
  t.match(finding, { kind: 'unknown', because: /4 rows take 404 ms/, isPassing: true });
  t.same(
    runs.map(({ rows }) => rows),
    [1, 4, 4, 4],
    'timed three times',
  );
  t.match(slow(() => 500).finding, { kind: 'unknown', because: /a row takes 500 ms/ });
});

t.test('a machine that is busy with loading keeps no quick model from being probed', async (t) => {
  const { finding, runs } = probe((rows) => rows, { pace: () => 170 });
  t.same(finding, { kind: 'apart' });
  t.ok(
    runs.some(({ rows }) => rows === 7),
    'other numbers of rows are tried too',
  );
});
