import t from 'tap';
import type { Share } from '../../src/core/route.ts';
import { formerShare, otherShare } from '../../src/gateway/arms-of-trial.ts';
import { aRoute } from '../rollout/builders.ts';

const NEW: Share = { arm: 'candidate', version: '2', weightBp: 500 };
const FORMER: Share = { arm: 'control', version: '1', weightBp: 500 };
const HOLDBACK = aRoute({
  stable: '2',
  shares: [NEW, { arm: 'stable', version: '2', weightBp: 9_000 }, FORMER],
});
const STABLE: Share = { arm: 'stable', version: '1', weightBp: 9_000 };
const TRIAL = aRoute({ shares: [NEW, STABLE, FORMER] });

t.test('the other arm of a candidate is control, and stable where there is none', (t) => {
  for (const route of [HOLDBACK, TRIAL]) {
    t.equal(otherShare(route, { side: 'candidate' }), FORMER);
    t.equal(otherShare(route, { side: 'reference' }), NEW);
    t.equal(otherShare(route, { side: undefined }), undefined);
  }
  t.equal(otherShare(aRoute({ shares: [NEW, STABLE] }), { side: 'candidate' }), STABLE);
  t.equal(otherShare(undefined, { side: 'candidate' }), undefined);
  t.end();
});

t.test('both arms of a holdback are held to the answers of the former version', (t) => {
  t.equal(formerShare(HOLDBACK), FORMER);
  t.equal(formerShare(TRIAL), undefined);
  t.equal(formerShare(aRoute()), undefined);
  t.equal(formerShare(undefined), undefined);
  t.end();
});
