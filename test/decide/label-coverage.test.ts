import t from 'tap';
import { LabelCoverageTally } from '../../src/compare/label-coverage-tally.ts';
import { type LabelCoverage, NO_COVERAGE, stablePart } from '../../src/core/label-evidence.ts';
import { seededRandom } from '../../src/core/random.ts';
import { whyNotCovered } from '../../src/decide/label-coverage.ts';

const LOG_NEEDED = Math.log(40);

type Arm = {
  /** Parts of the units that get a label, where the versions agree and where they differ. */
  readonly agreeing: number;
  readonly differing: number;
};

/** A tenth of the units differ. */
function coverageOf(
  arms: { readonly stable: Arm; readonly control: Arm },
  units: { readonly stable: number; readonly control: number },
): LabelCoverage {
  const random = seededRandom(7);
  const tally = new LabelCoverageTally(NO_COVERAGE);
  const share = units.control / (units.stable + units.control);
  for (let unit = 0; unit < units.stable + units.control; unit += 1) {
    const byControl = random.unit() < share;
    const { agreeing, differing } = byControl ? arms.control : arms.stable;
    const differs = random.unit() < 0.1;
    const labelled = random.unit() < (differs ? differing : agreeing);
    tally.add({ differs, labelled, byControl });
  }
  return tally.snapshot();
}

const ALIKE: Arm = { agreeing: 0.5, differing: 0.5 };

t.test('labels that come more often for what differs in one arm are named with it', async (t) => {
  // Over both arms they come as often: the one makes up for the other.
  const arms = {
    stable: { agreeing: 0.5, differing: 0.35 },
    control: { agreeing: 0.5, differing: 0.65 },
  };
  const coverage = coverageOf(arms, { stable: 20_000, control: 20_000 });
  const { differing, agreeing } = coverage;
  const ratio = differing.labelled / differing.units / (agreeing.labelled / agreeing.units);
  t.ok(ratio > 0.95 && ratio < 1.05, `${ratio}`);
  t.match(
    whyNotCovered(coverage, LOG_NEEDED),
    /no random sample: labels came for .* that differ and stable served/,
  );
});

t.test('an arm that served few of the pairs that differ need not show it alone', async (t) => {
  const arms = { stable: ALIKE, control: ALIKE };
  t.equal(whyNotCovered(coverageOf(arms, { stable: 20_000, control: 500 }), LOG_NEEDED), undefined);
  t.equal(
    whyNotCovered(coverageOf(arms, { stable: 20_000, control: 20_000 }), LOG_NEEDED),
    undefined,
  );
  t.match(
    whyNotCovered(coverageOf(arms, { stable: 4_500, control: 2_500 }), LOG_NEEDED),
    /not yet shown .* more that differ and control served/,
  );
});

t.test('a share of labels that differs between the arms is no selection', async (t) => {
  const arms = { stable: ALIKE, control: { agreeing: 0.1, differing: 0.1 } };
  const coverage = coverageOf(arms, { stable: 20_000, control: 2_000 });
  t.equal(whyNotCovered(coverage, LOG_NEEDED), undefined);
  const blocks = Object.keys(coverage.control?.blocks ?? {});
  t.ok(blocks.length > 0, 'units of one arm are matched with its own');
});

t.test('a tally that resumes has the parts of both arms', async (t) => {
  const arms = { stable: ALIKE, control: { agreeing: 0.2, differing: 0.4 } };
  const before = coverageOf(arms, { stable: 300, control: 200 });
  const resumed = new LabelCoverageTally(before);
  t.same(resumed.snapshot(), before);
  resumed.add({ differs: true, labelled: true, byControl: true });
  t.equal(resumed.snapshot().control?.differing.units, (before.control?.differing.units ?? 0) + 1);
  t.same(stablePart(resumed.snapshot()), stablePart(before));
});
