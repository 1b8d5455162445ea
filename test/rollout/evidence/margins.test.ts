import { join } from 'node:path';
import t from 'tap';
import type { Margins } from '../../../src/core/rollout.ts';
import { decide } from '../../../src/decide/decide.ts';
import { readLedger } from '../../../src/ledger/file.ts';
import { type MarginReplay, replayMargins } from '../../../src/rollout/evidence/margins.ts';
import { projectRoot } from '../../support/project-root.ts';

const LEDGER = join(projectRoot, 'test', 'rollout', 'golden', '0.2.0-rules-2');

async function replayed(name: string, margins: Partial<Margins>): Promise<MarginReplay> {
  const found = await replayMargins(() => readLedger(LEDGER), {
    name: { id: name },
    marginsFrom: (own) => ({ ...own, ...margins }),
    decide,
  });
  if (found === undefined) throw new Error('no rollout');
  return found;
}

function metricOf({ metrics }: MarginReplay, label: string): MarginReplay['metrics'][number] {
  const found = metrics.find((metric) => metric.label === label);
  if (found === undefined) throw new Error(`no ${label}`);
  return found;
}

t.test('under the margins on record nothing differs', async (t) => {
  const { metrics, changed, verdict, looks } = await replayed('fashion-2-1', {});
  t.ok(looks > 3);
  t.same(changed, []);
  t.same(verdict, { recorded: 'pass', asked: 'pass' });
  for (const { recorded, asked } of metrics) t.same(asked, recorded);
});

t.test('under a stricter margin a metric that was proven is not', async (t) => {
  const found = await replayed('fashion-2-1', { pairedErrors: { ratio: 1, absolute: 0.0001 } });
  const { recorded, asked } = metricOf(found, 'pairedErrors');
  t.match(recorded, { finding: 'nonInferior', since: { record: Number } });
  t.match(asked, { finding: 'undecided', since: undefined });
  t.match(found.verdict, { recorded: 'pass', asked: 'inconclusive' });
  t.match(found.reasons[0], /^pairedErrors: /);
  t.match(found.changed[0], { action: { recorded: 'enterStep', asked: 'wait' } });
});

t.test('the smallest margin that is proven passes, and a smaller one does not', async (t) => {
  const { smallest } = metricOf(await replayed('fashion-2-1', {}), 'disagreement');
  const margin = Number(smallest?.margin);
  t.ok(smallest !== undefined && smallest.ofMargin < 1, `${smallest?.ofMargin} of the margin`);
  const at = await replayed('fashion-2-1', { disagreement: margin });
  t.equal(metricOf(at, 'disagreement').asked.finding, 'nonInferior');
  const below = await replayed('fashion-2-1', { disagreement: margin * 0.98 });
  t.equal(metricOf(below, 'disagreement').asked.finding, 'undecided');
});

t.test('a candidate that was rolled back is within a wide enough margin', async (t) => {
  const strict = await replayed('fashion-3-2', {});
  const worse = strict.metrics.find(({ recorded }) => recorded.finding === 'worse');
  t.equal(worse?.label, 'labelledLoss{garment=upper,tone=dark}');
  const wide = await replayed('fashion-3-2', { labelledLoss: 0.5 });
  t.notMatch(metricOf(wide, worse?.label ?? '').asked, { finding: 'worse' });
  t.match(wide.changed[0]?.action, { recorded: 'rollBack' });
});

t.test('it is no proof, and says so', async (t) => {
  t.match((await replayed('fashion-2-1', {})).caution, /not a proof/);
});
