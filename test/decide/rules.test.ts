import t from 'tap';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { RULES_VERSION, rulesOf } from '../../src/core/rollout.ts';
import { decide } from '../../src/decide/decide.ts';
import { aSpec, goodEvidence } from './builders.ts';

t.test('a rollout on record without rules was begun under the first', async (t) => {
  const { rules: _, ...spec } = aSpec();
  t.equal(rulesOf(spec), 1);
  const before = decide({ evidence: goodEvidence(), spec, require: ['errors'] });
  t.same(
    before,
    decide({ evidence: goodEvidence(), spec: aSpec({ rules: 1 }), require: ['errors'] }),
  );
});

t.test('rules of a later program are refused by name, and decide nothing', async (t) => {
  const later = JSON.parse(JSON.stringify({ ...aSpec(), rules: RULES_VERSION + 1 }));
  t.throws(
    () => decide({ evidence: NO_EVIDENCE, spec: later, require: [] }),
    new RangeError(
      `rules: expected 1 or 2, found ${RULES_VERSION + 1}: run the version of the program that the rollout began with`,
    ),
  );
});
