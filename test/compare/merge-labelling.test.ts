import t from 'tap';
import { mergeEvidence } from '../../src/compare/merge-evidence.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { type LabelEvidence, NO_LABELS } from '../../src/core/label-evidence.ts';

function aLabelling(given: Partial<LabelEvidence>): Evidence {
  return { ...NO_EVIDENCE, labelling: { ...NO_LABELS, ...given } };
}

t.test('labels that came in time are added up', (t) => {
  const merged = mergeEvidence(aLabelling({ inTime: 3 }), aLabelling({ inTime: 4 }));
  t.equal(merged.labelling?.inTime, 7);
  t.end();
});

t.test('of evidence that does not count them, the labels counted came in time', (t) => {
  const before = aLabelling({ labelled: 5 });
  t.equal(mergeEvidence(before, aLabelling({ inTime: 4 })).labelling?.inTime, 9);
  t.equal(mergeEvidence(before, before).labelling?.inTime, undefined);
  t.end();
});
