import t from 'tap';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { decide } from '../../src/decide/decide.ts';
import { aSpec } from './spec.ts';

t.test('no evidence is inconclusive', async (t) => {
  const v = decide({ evidence: NO_EVIDENCE, spec: aSpec(), require: ['errors', 'labelledLoss'] });
  t.equal(v.kind, 'inconclusive');
  t.comment(JSON.stringify(v, null, 1));
});
