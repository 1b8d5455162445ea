import fc from 'fast-check';
import t from 'tap';
import { UnitLossTally } from '../../src/compare/unit-loss-tally.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import {
  type LabelCoverage,
  type LabelEvidence,
  NO_LABELS,
} from '../../src/core/label-evidence.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import { decide } from '../../src/decide/decide.ts';
import { whyNotCovered } from '../../src/decide/label-coverage.ts';
import { aSpec, differences, FULLY_LABELLED, goodEvidence } from './builders.ts';

const LOG_NEEDED = Math.log(20);

function statusOn(changes: Partial<Evidence>, spec: Partial<RolloutSpec> = {}) {
  const verdict = decide({
    evidence: goodEvidence(changes),
    spec: aSpec({ slices: [], ...spec }),
    require: ['labelledLoss'],
  });
  const status = verdict.metrics.find(({ metric }) => metric === 'labelledLoss');
  if (status === undefined) throw new Error('no status of labelledLoss');
  return { ...status, reasons: verdict.reasons };
}

function labelling(changes: Partial<LabelEvidence> = {}): LabelEvidence {
  return { ...NO_LABELS, labelled: 3_000, coverage: { '': FULLY_LABELLED }, ...changes };
}

t.test(
  'labels that are declared random prove no worse, and the verdict says who vouches',
  async (t) => {
    const { finding, margin } = statusOn({});
    t.equal(finding, 'nonInferior');
    t.match(margin, /labels declared random/);
  },
);

t.test('without a declared window labels prove nothing, neither way', async (t) => {
  const { labels: _, ...rest } = aSpec({ slices: [] });
  const worse = { labelledLoss: differences([0, 500], [1, 300]) };
  const verdict = decide({
    evidence: goodEvidence(worse),
    spec: rest,
    require: ['labelledLoss'],
  });
  t.equal(verdict.kind, 'inconclusive');
  t.match(verdict.reasons.join(), /declare models\.fashion\.labels\.window/);
});

t.test('labels that come unasked can reject and never promote', async (t) => {
  const unasked = { labels: { windowMs: 60_000, selection: 'arrival' as const } };
  const good = statusOn({}, unasked);
  t.equal(good.finding, 'undecided');
  t.match(good.missing, /labels\.selection: random/);
  const worse = { labelledLoss: differences([-1, 10], [0, 500], [1, 90]) };
  t.equal(statusOn(worse, unasked).finding, 'worse');
});

t.test('no worse is held back where labels are late, foreign or of chosen answers', async (t) => {
  const cases: readonly [RegExp, Partial<LabelEvidence>][] = [
    [
      /400 labels came after their window of 2 h, 3,000 within: raise/,
      { late: 400, windowMs: 7_200_000 },
    ],
    [/83\.3 % of 3,000 labels equal neither version's answer/, { neither: 2_500 }],
    [/label coverage cannot be read/, { coverage: {} }],
    [
      /no random sample: labels came for 90\.0 % of 200 that differ and 20\.0 % of 2,000 that agree/,
      {
        coverage: {
          '': {
            agreeing: { units: 2_000, labelled: 400 },
            differing: { units: 200, labelled: 180 },
            blocks: { '1/2/10': 180, '0/2/10': 20 },
          },
        },
      },
    ],
    [
      /not yet shown .* about \d+ more that differ/,
      {
        coverage: {
          '': {
            agreeing: { units: 100, labelled: 90 },
            differing: { units: 10, labelled: 9 },
            blocks: { '1/9/10': 9, '0/9/10': 1 },
          },
        },
      },
    ],
  ];
  for (const [says, changes] of cases) {
    const { finding, missing } = statusOn({ labelling: labelling(changes) });
    t.equal(finding, 'undecided', `${says}`);
    t.match(missing, says);
  }
});

t.test('while nothing is mature the verdict says what waits, and what was dropped', async (t) => {
  const none = { labelledLoss: NO_EVIDENCE.labelledLoss };
  const waits = labelling({ labelled: 0, waiting: 1_234, windowMs: 7_200_000 });
  t.match(
    statusOn({ ...none, labelling: waits }).missing,
    /no labels yet: 1,234 pairs wait until their window of 2 h has ended/,
  );
  const dropped = { ...waits, dropped: 5_000 };
  t.match(
    statusOn({ ...none, labelling: dropped }).missing,
    /5,000 pairs were dropped .* raise labels\.storeMax/,
  );
  const unmatched = { labels: { joined: 0, unmatched: 4 }, labelling: labelling({ labelled: 0 }) };
  t.match(statusOn({ ...none, ...unmatched }).missing, /4 arrived, none of them/);
});

t.test('coverage has to be shown with what is left for the attempt', async (t) => {
  const coverage = {
    agreeing: { units: 400, labelled: 400 },
    differing: { units: 40, labelled: 40 },
    blocks: { '1/10/10': 26 },
  };
  const changes = {
    labelledLoss: differences([-1, 400], [0, 2_000]),
    labelling: labelling({ coverage: { '': coverage } }),
  };
  t.equal(statusOn(changes, { attempt: { number: 1 } }).finding, 'nonInferior');
  const fifth = statusOn(changes, { attempt: { number: 8 } });
  t.equal(fifth.finding, 'undecided');
  t.match(fifth.missing, /not yet shown to be a random sample/);
  t.ok(fifth.logSafe > fifth.logSafeNeeded, 'the loss itself is shown');
});

t.test('two versions that hardly ever differ need no labels of what differs', async (t) => {
  const alike: LabelCoverage = {
    agreeing: { units: 3_000, labelled: 3_000 },
    differing: { units: 0, labelled: 0 },
    blocks: {},
  };
  const same = {
    labelledLoss: differences([0, 3_000]),
    labelling: labelling({ coverage: { '': alike } }),
  };
  t.equal(statusOn(same).finding, 'nonInferior');
});

t.test('coverage that is broken is never read as shown', async (t) => {
  for (const key of ['2/1/1', '1/2/1', '1/0/0', 'x', '1/1/-1'])
    t.match(
      whyNotCovered({ ...FULLY_LABELLED, blocks: { [key]: 99 } }, LOG_NEEDED),
      /cannot be read/,
    );
  t.match(
    whyNotCovered({ ...FULLY_LABELLED, blocks: { '1/1/1': 0.5 } }, LOG_NEEDED),
    /cannot be read/,
  );
  t.match(whyNotCovered(undefined, LOG_NEEDED), /cannot be read/);
});

/** What one unit of a world is: whether the versions differ, whether each is right, and whether a label comes. */
type World = {
  /** Only stable right, only the candidate right, both wrong and different, both wrong alike. */
  readonly rates: readonly [number, number, number, number];
  readonly labelShare: (kind: 'right' | 'stableWrong', differs: boolean) => number;
};

function outcomeOf({ rates, labelShare }: World, random: Random) {
  let rest = random.unit();
  const at = rates.findIndex((rate) => {
    rest -= rate;
    return rest < 0;
  });
  const differs = at >= 0 && at < 3;
  const stable = at >= 1 ? 1 : 0;
  const candidate = at === 0 || at >= 2 ? 1 : 0;
  const isLabelled = random.unit() < labelShare(stable === 1 ? 'stableWrong' : 'right', differs);
  return {
    slices: [],
    apart: differs ? 1 : 0,
    byControl: false,
    losses: isLabelled ? { stable, candidate } : undefined,
  };
}

/** How often a rollout would have been promoted on labels at any of its looks. */
function promotions(world: World, { runs, units }: { runs: number; units: number }): number {
  return Array.from({ length: runs }, (_, seed) => {
    const random = seededRandom(seed + 1);
    const tally = new UnitLossTally({ ...NO_EVIDENCE, coverage: {} });
    for (let unit = 1; unit <= units; unit += 1) {
      tally.add([outcomeOf(world, random)]);
      if (unit % 250 !== 0) continue;
      const { coverage, ...losses } = tally.snapshot();
      if (statusOn({ ...losses, labelling: labelling({ coverage }) }).finding === 'nonInferior')
        return 1;
    }
    return 0;
  }).reduce<number>((sum, each) => sum + each, 0);
}

t.test(
  'fair labels promote an equal candidate, selected ones do not promote a worse one',
  async (t) => {
    const half = () => 0.5;
    const equal: World = { rates: [0.04, 0.04, 0.02, 0.03], labelShare: half };
    t.ok(promotions(equal, { runs: 20, units: 8_000 }) >= 19, 'found within 8,000 units');
    const threeWorse = [0.055, 0.025, 0.02, 0.03] as const;
    t.equal(promotions({ rates: threeWorse, labelShare: half }, { runs: 20, units: 4_000 }), 0);
    const mostlyWrong: World = {
      rates: threeWorse,
      labelShare: (kind) => (kind === 'stableWrong' ? 0.4 : 0.15),
    };
    t.equal(promotions(mostlyWrong, { runs: 20, units: 8_000 }), 0, 'where stable was wrong');
    const disagreements: World = {
      rates: [0.04, 0.04, 0.02, 0.03],
      labelShare: (_, differs) => (differs ? 0.5 : 0.4),
    };
    const shown = promotions(disagreements, { runs: 40, units: 8_000 });
    t.ok(shown <= 6, `1.25 times as often where they differ: ${shown} of 40, 2 expected at most`);
  },
);

/** A regressor's losses: errors that vary, the candidate's by so much more, and labels as they are chosen. */
function gradedPromotions(
  by: number,
  labelShare: (apart: number) => number,
  { runs, units }: { runs: number; units: number },
): number {
  return Array.from({ length: runs }, (_, seed) => {
    const random = seededRandom(seed + 1);
    const tally = new UnitLossTally({ ...NO_EVIDENCE, coverage: {} }, true);
    for (let unit = 1; unit <= units; unit += 1) {
      const stable = 0.3 * random.unit();
      const candidate = Math.max(0, stable + by + 0.06 * (random.unit() - 0.5));
      const apart = Math.abs(candidate - stable);
      const losses = random.unit() < labelShare(apart) ? { stable, candidate } : undefined;
      tally.add([{ slices: [], apart, byControl: false, losses }]);
      if (unit % 250 !== 0) continue;
      const { coverage, ...counts } = tally.snapshot();
      const of = labelling({ coverage, isGraded: true });
      if (statusOn({ ...counts, labelling: of }).finding === 'nonInferior') return 1;
    }
    return 0;
  }).reduce<number>((sum, each) => sum + each, 0);
}

t.test('a graded loss is proven on fair labels, and not on those of near answers', async (t) => {
  const size = { runs: 10, units: 4_000 };
  t.equal(
    gradedPromotions(-0.005, () => 0.5, size),
    10,
    'a better one, all of whose pairs differ',
  );
  t.equal(
    gradedPromotions(0.02, () => 0.5, size),
    0,
    'one beyond the margin',
  );
  const near = (apart: number) => (apart > 0.02 ? 0.2 : 0.6);
  t.equal(gradedPromotions(-0.005, near, size), 0, 'labels that avoid what differs most');
});

t.test(
  'the tally of units adds up: one value per unit, in all and in each of its slices',
  async (t) => {
    const tally = new UnitLossTally({ ...NO_EVIDENCE, coverage: {} });
    tally.add([
      { slices: ['a'], apart: 0, byControl: false, losses: { stable: 0, candidate: 0 } },
      { slices: ['a', 'b'], apart: 1, byControl: false, losses: { stable: 0, candidate: 1 } },
      { slices: [], apart: 1, byControl: false, losses: undefined },
    ]);
    tally.add([{ slices: ['b'], apart: 0, byControl: false, losses: undefined }]);
    const { labelledLoss, labelledLossBySlice, coverage } = tally.snapshot();
    t.same(labelledLoss.up, { 500: 1 });
    t.same(labelledLossBySlice, {
      a: { down: { 500: 1 }, up: { 500: 1 } },
      b: { down: { 1000: 1 }, up: { 1000: 1 } },
    });
    t.same(coverage[''], {
      agreeing: { units: 1, labelled: 0 },
      differing: { units: 1, labelled: 1 },
      blocks: { '1/0/1': 1 },
    });
  },
);

t.test(
  'each differing unit is in one block at most, with agreeing ones of one block only',
  async (t) => {
    const units = fc.array(fc.record({ differs: fc.boolean(), labelled: fc.boolean() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(units, (all) => {
        const tally = new UnitLossTally({ ...NO_EVIDENCE, coverage: {} });
        for (const { differs, labelled } of all) {
          const losses = labelled ? { stable: 0, candidate: 0 } : undefined;
          tally.add([{ slices: [], apart: differs ? 1 : 0, byControl: false, losses }]);
        }
        const { agreeing, differing, blocks } = tally.snapshot().coverage[''] ?? FULLY_LABELLED;
        const sum = (of: (parts: readonly number[]) => number): number =>
          Object.entries(blocks).reduce(
            (total, [key, count]) => total + count * of(key.split('/').map(Number)),
            0,
          );
        return (
          all.length === 0 ||
          (sum(() => 1) <= differing.units &&
            sum(([d = 0]) => d) <= differing.labelled &&
            sum(([, labelled = 0]) => labelled) <= agreeing.labelled &&
            sum(([, , of = 0]) => of) <= agreeing.units)
        );
      }),
    );
    t.pass();
  },
);
