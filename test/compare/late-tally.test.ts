import t from 'tap';
import { compare } from '../../src/compare/compare.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { judgePairedErrors } from '../../src/decide/paired-errors.ts';
import { aSpec } from '../decide/builders.ts';
import { aComparison, anAnswer, aPair, aTensor, aWindow } from './builders.ts';

const SAME = { name: 'same', score: () => ({ score: 0, difference: 'same' as const }) };
const took = (computeMs: number) => ({ ...anAnswer(aTensor([0.9, 0.1])), computeMs }) as const;

t.test('a run is late by its own time against what the caller would have waited', async (t) => {
  const latenessOf = (over: Parameters<typeof aPair>[0]) =>
    compare(aPair({ budgetMs: 100, shadowRun: 7, ...over }), SAME).late;
  const late = { candidate: true, twin: false, shadowRun: 7 };
  t.same(latenessOf({ candidate: took(101), twin: took(99) }), late);
  t.same(latenessOf({ candidate: took(99), twin: took(101) }), {
    ...late,
    candidate: false,
    twin: true,
  });
  t.same(latenessOf({ candidate: took(101) }), { ...late, twin: undefined });
  t.equal(latenessOf({ candidate: took(101), budgetMs: undefined }), undefined);
});

t.test('one value per run: candidate minus twin, and unknown without a twin', async (t) => {
  const window = aWindow();
  const late = (candidate: boolean, twin: boolean | undefined, shadowRun: number) =>
    window.addComparison(aComparison({ late: { candidate, twin, shadowRun } }));
  late(true, false, 1);
  late(true, false, 1);
  late(false, true, 2);
  late(true, true, 3);
  late(true, undefined, 4);
  late(false, undefined, 5);
  window.addLapse({ by: 'candidate', kind: 'hang' });
  window.addLapse({ by: 'unknown', kind: 'timeout' });
  const { pairedTimeouts, failures } = window.snapshot();
  t.same(pairedTimeouts?.twinned, { '0:1/1': 1, '1:0/1': 2, '1:1/1': 1 });
  t.same(pairedTimeouts?.all, { '0:0/1': 1, '0:1/1': 1, '1:0/1': 4, '1:1/1': 1 });
  t.same(failures, { candidate: { hang: 1, timeout: 4 }, reference: { timeout: 2 } });
});

t.test('runs of one unit are one value: the same bytes again say nothing new', async (t) => {
  const window = aWindow();
  for (const shadowRun of [1, 2, 3]) {
    const late = { candidate: true, twin: false, shadowRun };
    window.addComparison(aComparison({ late, unit: { sticky: undefined, content: 'the same' } }));
  }
  t.same(window.snapshot().pairedTimeouts?.twinned, { '1:0/1': 1 });
});

t.test('rules 1 count a process that was killed, and no time-out', async (t) => {
  const window = aWindow({ rules: 1 });
  window.addLapse({ by: 'twin', kind: 'hang' });
  window.addLapse({ by: 'candidate', kind: 'timeout' });
  t.same(window.snapshot().pairedErrors.down, { 1000: 1 });
});

type Shadowed = { readonly late: boolean; readonly twin: boolean | undefined };

function judged(runs: readonly Shadowed[]) {
  const window = aWindow();
  for (const [at, { late: candidate, twin }] of runs.entries())
    window.addComparison(aComparison({ late: { candidate, twin, shadowRun: at } }));
  const { proof, candidateEvents } = judgePairedErrors(
    { ...NO_EVIDENCE, ...window.snapshot() },
    aSpec(),
  );
  if (proof.kind !== 'evidence') throw new Error('expected evidence');
  const wealth = proof.safe?.map(({ logWeight, logWealth }) => Math.exp(logWeight + logWealth));
  const safe = Math.log(wealth?.reduce((sum, each) => sum + each, 0) ?? 0);
  return { harm: proof.logHarm, safe, candidateEvents };
}

const RUNS = Array.from({ length: 4_000 }, (_, at) => at);

t.test('runs that never time out prove it as fast as answers that never fail', async (t) => {
  const runs = RUNS.slice(0, 1_000).map((at) => ({
    late: false,
    twin: at % 5 > 0 ? undefined : false,
  }));
  t.ok(judged(runs).safe > 3, 'within a thousand, a fifth of them twinned');
});

t.test('a candidate that times out beside its twin is worse', async (t) => {
  const runs = RUNS.slice(0, 1_000).map((at) => ({
    late: at % 12 === 0,
    twin: at % 5 > 0 ? undefined : false,
  }));
  const { harm, candidateEvents } = judged(runs);
  t.ok(harm > 5, `${harm}`);
  t.equal(candidateEvents, 17, 'those beside a twin');
});

t.test('a machine that stalls both alike makes neither worse', async (t) => {
  const runs = RUNS.map((at) => ({
    late: at % 97 === 0,
    twin: at % 5 < 2 ? at % 97 === 1 : undefined,
  }));
  const { harm } = judged(runs);
  t.ok(harm < 1, `${harm}`);
});

t.test('a candidate that times out where it has no twin is not proven no worse', async (t) => {
  const runs = RUNS.slice(0, 1_000).map((at) => ({
    late: at % 50 === 1,
    twin: at % 5 > 0 ? undefined : false,
  }));
  const { safe } = judged(runs);
  t.ok(safe < 1, `${safe}`);
});
