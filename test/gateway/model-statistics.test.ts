import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { ServeErrorCode } from '../../src/core/errors.ts';
import type { InferResponse } from '../../src/core/infer.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Assignment } from '../../src/core/route.ts';
import { ModelStatistics } from '../../src/gateway/model-statistics.ts';
import { aRequest, aTensor } from './builders.ts';

const TARGET = { model: 'm', version: '1' };
const PINNED: Assignment = {
  version: '1',
  arm: 'stable',
  by: 'pin',
  routeRevision: 1,
  exposure: undefined,
  side: undefined,
};

function someStatistics({ hasRows = true } = {}) {
  const clock = new HandClock();
  return { clock, statistics: new ModelStatistics({ clock, hasRows: () => hasRows }) };
}

function anAnswer(rows: number, parts: Partial<InferResponse> = {}): InferResponse {
  return {
    ...TARGET,
    outputs: [aTensor({ name: 'y', shape: [rows, 2] })],
    timing: { queueMs: 1, computeMs: 4 },
    batch: { id: 1, rows },
    ...parts,
  };
}

function answered(rows: number): Outcome {
  return { kind: 'answer', response: anAnswer(rows), startedMs: 0, endedMs: 6 };
}

function failed(code: ServeErrorCode): Outcome {
  return { kind: 'failure', code, message: '', startedMs: 10, endedMs: 13 };
}

t.test('answers count by their rows, and by the three clocks', async (t) => {
  const { clock, statistics } = someStatistics();
  clock.advance(5_000);
  for (const rows of [1, 3]) statistics.tap(aRequest(), PINNED)?.(answered(rows));
  t.match(statistics.list(), [
    {
      ...TARGET,
      lastInferenceMs: clock.wallMs(),
      inferences: 4,
      success: { count: 2, ms: 12 },
      queue: { count: 2, ms: 2 },
      compute: { count: 2, ms: 8 },
      failure: { count: 0, ms: 0 },
    },
  ]);
  const plain = someStatistics({ hasRows: false }).statistics;
  plain.tap(aRequest(), PINNED)?.(answered(3));
  t.equal(plain.list()[0]?.inferences, 1, 'without a batch dimension a request is one inference');
});

t.test('a failure counts unless it is the caller who is at fault, or has gone', async (t) => {
  const { statistics } = someStatistics();
  const watch = statistics.tap(aRequest(), PINNED);
  for (const code of ['runtime_failed', 'deadline_exceeded', 'overloaded'] as const)
    watch?.(failed(code));
  for (const code of ['invalid_input', 'cancelled'] as const) watch?.(failed(code));
  const [counted] = statistics.list('m', '1');
  t.same(counted?.failure, { count: 3, ms: 9 });
  t.same([counted?.inferences, counted?.lastInferenceMs], [0, 0]);
});

t.test(
  'runs count by their size, in order; sizes that no run can have take no memory',
  async (t) => {
    const { statistics } = someStatistics();
    statistics.onReady(TARGET);
    for (const rows of [8, 1, 8, 1_000_000]) statistics.onBatch(TARGET, { rows, computeMs: 2 });
    const [counted] = statistics.list('m');
    t.equal(counted?.executions, 4);
    t.same(counted?.batches, [
      { rows: 1, compute: { count: 1, ms: 2 } },
      { rows: 8, compute: { count: 2, ms: 4 } },
    ]);
  },
);

t.test('what stable answers in the place of another arm is its success', async (t) => {
  const { statistics } = someStatistics();
  const candidate: Assignment = { ...PINNED, version: '2', arm: 'candidate', by: 'split' };
  statistics.tap(aRequest(), candidate)?.(failed('host_lost'));
  statistics.onReady(TARGET);
  statistics.onFallback({ answer: anAnswer(2), totalMs: 6 });
  statistics.onFallback({ answer: undefined, totalMs: 7 });
  const counts = statistics.list('m').map(({ version, success, failure }) => {
    return [version, success, failure.count];
  });
  t.same(counts, [
    ['1', { count: 1, ms: 6 }, 0],
    ['2', { count: 0, ms: 0 }, 1],
  ]);
});

t.test('a version has statistics from its first load until it is removed', async (t) => {
  const { statistics } = someStatistics();
  t.same(statistics.list(), []);
  for (const version of ['10', '9']) statistics.onReady({ model: 'm', version });
  statistics.onReady({ model: 'a', version: '1' });
  const named = () => statistics.list().map(({ model, version }) => `${model} ${version}`);
  t.same(named(), ['a 1', 'm 9', 'm 10']);
  t.same(statistics.list('m', '8'), []);
  statistics.retain('m', new Set(['10']));
  t.same(named(), ['a 1', 'm 10']);
  statistics.onBatch({ model: 'm', version: '9' }, { rows: 1, computeMs: 2 });
  t.same(named(), ['a 1', 'm 10'], 'nor do its last runs bring it back');
});

t.test('a request allocates no watcher of its own', async (t) => {
  const { statistics } = someStatistics();
  t.equal(statistics.tap(aRequest(), PINNED), statistics.tap(aRequest({ id: 'r-2' }), PINNED));
});
