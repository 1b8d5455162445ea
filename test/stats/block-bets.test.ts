import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import { type BlockValues, logHarmOfBlocks, logSafeOfBlocks } from '../../src/stats/block-bets.ts';

const PARTS = [0.1, 0.3, 0.6, 0.95];
const NEEDED = Math.log(1 / 0.05);

function valuesOf(values: readonly number[]): BlockValues {
  return { values, lower: -0.5, upper: 0.5, parts: PARTS };
}

/** Values of -0.5 and 0.5, as often the one as the other, that stay as they are with this probability. */
function runsOf(stay: number, count: number, seed: number): readonly number[] {
  const random = seededRandom(seed);
  let value = random.unit() < 0.5 ? -0.5 : 0.5;
  return Array.from({ length: count }, () => {
    if (random.unit() >= stay) value = -value;
    return value;
  });
}

/** Whether harm is ever found, looking after every value from the 24th on. */
function isEverHarm(values: readonly number[]): boolean {
  return values.some(
    (_, at) => at >= 23 && logHarmOfBlocks(valuesOf(values.slice(0, at + 1))) >= NEEDED,
  );
}

t.test('evidence grows for the side that values speak for, and only for that', async (t) => {
  const above = valuesOf(Array.from({ length: 40 }, (_, at) => (at % 5 === 0 ? -0.5 : 0.4)));
  const below = valuesOf(above.values.map((value) => -value));
  t.ok(logHarmOfBlocks(above) > NEEDED);
  t.ok(logSafeOfBlocks(above) < 0);
  t.ok(logSafeOfBlocks(below) > NEEDED);
  t.ok(logHarmOfBlocks(below) < 0);
});

t.test('values at the margin rarely look like harm, be they in runs or not', async (t) => {
  // Stays with 0.75: runs of four blocks, and correlations of a half.
  for (const stay of [0.5, 0.75]) {
    const runs = 200;
    let wrong = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      if (isEverHarm(runsOf(stay, 200, seed))) wrong += 1;
    }
    const most = runs * (0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
    t.ok(wrong <= most, `stays with ${stay}: wrong in ${wrong} of ${runs} runs, at most ${most}`);
  }
});

t.test('a range without the margin inside it, and values outside it, prove nothing', async (t) => {
  t.throws(() => logHarmOfBlocks({ ...valuesOf([0.1]), lower: 0.05 }), /expected a range around 0/);
  t.throws(() => logSafeOfBlocks(valuesOf([0.6])), /expected values from -0.5 to 0.5, found 0.6/);
  t.throws(() => logHarmOfBlocks(valuesOf([Number.NaN])), /found NaN/);
});
