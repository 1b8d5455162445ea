import t from 'tap';
import { type Finding, faultsOf } from './finding.ts';
import { VARIANTS, type Variant } from './variants.ts';

function variantNamed(name: string): Variant {
  const variant = VARIANTS.find((one) => one.name === name);
  if (!variant) throw new Error(`expected a variant, found ${name}`);
  return variant;
}

function aFinding(change: Partial<Finding> = {}): Finding {
  return {
    variant: variantNamed('nan-1'),
    phase: 'rolledBack',
    decidedBy: ['pairedErrors'],
    why: 'proven worse',
    pairs: 1_000,
    requests: 1_200,
    plannedRequests: 5_000,
    canaryRequests: 0,
    seconds: 20,
    liveRequests: 1_500,
    liveFailures: 0,
    ...change,
  };
}

t.test('what is refused by the metric that names it is right', async (t) => {
  t.same(faultsOf(aFinding()), []);
});

t.test('what is promoted against the table is wrong', async (t) => {
  t.match(faultsOf(aFinding({ phase: 'promoted', decidedBy: [] })), [
    /^expected refused, found promoted/,
  ]);
});

t.test('what is expected otherwise by hand is wrong', async (t) => {
  const same = aFinding({ variant: variantNamed('same'), phase: 'promoted', decidedBy: [] });
  t.same(faultsOf(same), []);
  t.match(faultsOf(same, 'refused'), [/^expected refused, found promoted/]);
});

t.test('a refusal by another metric is wrong', async (t) => {
  t.match(faultsOf(aFinding({ decidedBy: ['pairedLatency'] })), [
    /^expected pairedErrors or errors to refuse it, found pairedLatency/,
  ]);
});

for (const phase of ['progressing', 'paused', 'aborted', 'loading'] as const) {
  t.test(`a trial that is ${phase} is inconclusive, which is wrong`, async (t) => {
    const finding = aFinding({ phase, decidedBy: [] });
    t.match(faultsOf(finding), [/^expected refused, found inconclusive/]);
  });
}

t.test(
  'more than twice the requests of the plan are wrong, and so is a plan without an end',
  async (t) => {
    t.same(faultsOf(aFinding({ requests: 10_000 })), []);
    t.match(faultsOf(aFinding({ requests: 10_001 })), [/^expected at most 2 x 5000 requests/]);
    t.match(faultsOf(aFinding({ plannedRequests: undefined })), [
      /^expected at most 2 x undefined/,
    ]);
  },
);

t.test('one failed live request is wrong', async (t) => {
  t.match(faultsOf(aFinding({ liveFailures: 1 })), [/^expected no failed live request, found 1/]);
});
