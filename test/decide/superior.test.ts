import t from 'tap';
import { type LabelEvidence, NO_LABELS } from '../../src/core/label-evidence.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { decide } from '../../src/decide/decide.ts';
import { superiorOfMean, type ValueCounts } from '../../src/stats/bets.ts';
import { logEvidence } from '../../src/stats/mixture.ts';
import { aSpec, differences, FULLY_LABELLED, goodEvidence } from './builders.ts';

const LABELLED: LabelEvidence = { ...NO_LABELS, labelled: 3_000, coverage: { '': FULLY_LABELLED } };

type Seen = { readonly won: number; readonly same: number; readonly lost: number };

/** Labelled units that only the candidate gets right, that both do alike, and that only stable gets right. */
function verdictOn(seen: Seen, spec: Partial<RolloutSpec>, labelling: Partial<LabelEvidence> = {}) {
  const counts = differences([-1, seen.won], [0, seen.same], [1, seen.lost]);
  return decide({
    evidence: goodEvidence({ labelledLoss: counts, labelling: { ...LABELLED, ...labelling } }),
    spec: aSpec({ slices: [], ...spec }),
    require: ['labelledLoss'],
  });
}

function lossOn(...asked: Parameters<typeof verdictOn>) {
  const status = verdictOn(...asked).metrics.find(({ metric }) => metric === 'labelledLoss');
  if (status === undefined) throw new Error('no status of labelledLoss');
  return status;
}

const EQUAL: Seen = { won: 200, same: 5_600, lost: 200 };
const BETTER: Seen = { won: 360, same: 5_400, lost: 240 };
const WORSE: Seen = { won: 60, same: 5_400, lost: 540 };

t.test('a candidate as good as stable is no worse, and not superior', async (t) => {
  t.equal(lossOn(EQUAL, { claim: 'noWorse' }).finding, 'nonInferior');
  const { finding, superior, claim, margin } = lossOn(EQUAL, { claim: 'superior' });
  t.match(
    { finding, superior, claim },
    { finding: 'undecided', superior: false, claim: 'superior' },
  );
  t.match(margin, /mean loss minus stable's < 0, better/);
  const { kind, reasons } = verdictOn(EQUAL, { claim: 'superior' });
  t.equal(kind, 'inconclusive');
  t.match(reasons.join(), /labelledLoss: not yet proven better/);
});

t.test('a better candidate is superior, whether that is claimed or not', async (t) => {
  t.match(verdictOn(BETTER, { claim: 'superior' }), { kind: 'pass' });
  t.match(lossOn(BETTER, { claim: 'superior' }), { finding: 'nonInferior', superior: true });
  t.match(lossOn(BETTER, { claim: 'noWorse' }), { finding: 'nonInferior', superior: true });
});

t.test('a claim of superior is no easier and no harder to prove worse', async (t) => {
  const [claimed, plain] = (['superior', 'noWorse'] as const).map((claim) =>
    lossOn(WORSE, { claim }),
  );
  t.equal(claimed?.finding, 'worse');
  t.equal(claimed?.logHarm, plain?.logHarm);
});

t.test('a slice of a superior candidate has to be no worse', async (t) => {
  const slice = { tone: 'dark' };
  const evidence = goodEvidence({
    labelledLoss: differences([-1, 360], [0, 5_400], [1, 240]),
    labelledLossBySlice: { 'tone=dark': differences([-1, 100], [0, 2_800], [1, 100]) },
    labelling: { ...LABELLED, coverage: { '': FULLY_LABELLED, 'tone=dark': FULLY_LABELLED } },
  });
  const spec = aSpec({ slices: [slice], claim: 'superior' });
  t.equal(decide({ evidence, spec, require: ['labelledLoss'] }).kind, 'pass');
});

t.test(
  'labels that may be chosen show no superiority, however rarely the versions differ',
  async (t) => {
    const rarely = {
      agreeing: { units: 6_000, labelled: 1_000 },
      differing: { units: 60, labelled: 60 },
      blocks: { '1/2/16': 60 },
    };
    const won: Seen = { won: 59, same: 1_000, lost: 1 };
    const seen = { coverage: { '': rarely } };
    t.match(lossOn(won, { claim: 'noWorse' }, seen), {
      finding: 'nonInferior',
      superior: undefined,
    });
    t.match(lossOn(won, { claim: 'superior' }, seen), {
      finding: 'undecided',
      missing: /random sample/,
    });
    const unasked = { labels: { windowMs: 60_000, selection: 'arrival' as const } };
    t.match(lossOn(BETTER, { claim: 'superior', ...unasked }), {
      finding: 'undecided',
      superior: false,
    });
  },
);

t.test('a rollout of before there was a choice has the status that it had', async (t) => {
  const status = lossOn(BETTER, {});
  t.notOk('superior' in status);
  t.notOk('claim' in status);
});

/** Labels until the e-value reaches 20, looking after every tenth; undefined: not within `most`. */
function labelsUntilProven(random: Random, rates: { won: number; lost: number }, most: number) {
  const seen = { won: 0, lost: 0 };
  for (let labels = 1; labels <= most; labels += 1) {
    const draw = random.unit();
    if (draw < rates.won) seen.won += 1;
    else if (draw < rates.won + rates.lost) seen.lost += 1;
    const counts: ValueCounts = [
      [-1, seen.won],
      [0, labels - seen.won - seen.lost],
      [1, seen.lost],
    ];
    if (labels % 10 === 0 && logEvidence(superiorOfMean(counts)) >= Math.log(20)) return labels;
  }
  return undefined;
}

t.test('an identical model is superior in at most one run in twenty, at any look', async (t) => {
  const runs = 300;
  const found = Array.from({ length: runs }, (_, seed) =>
    labelsUntilProven(seededRandom(seed), { won: 0.05, lost: 0.05 }, 4_000),
  ).filter((labels) => labels !== undefined);
  const most = runs * 0.05 + 3 * Math.sqrt(runs * 0.05 * 0.95);
  t.ok(found.length <= most, `${found.length} of ${runs}, at most ${most.toFixed(1)}`);
});

t.test('a candidate that is 2 points better is proven with the labels of the plan', async (t) => {
  const labels = Array.from({ length: 60 }, (_, seed) =>
    labelsUntilProven(seededRandom(seed), { won: 0.06, lost: 0.04 }, 20_000),
  );
  t.notOk(labels.includes(undefined));
  const sorted = labels.map((each) => each ?? 0).sort((a, b) => a - b);
  const median = sorted[30] ?? 0;
  t.ok(median > 1_000 && median < 2 * 2_270, `the median is ${median}`);
});
