import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import {
  type BlockValues,
  logHarmFromAnyStart,
  logHarmOfBlocks,
  logSafeOfBlocks,
} from '../../src/stats/block-bets.ts';

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

const ANY_START = { least: 24, isBeyond: () => true };

const HARMS = {
  'all the time': logHarmOfBlocks,
  'from any block on': (blocks: BlockValues) => logHarmFromAnyStart(blocks, ANY_START),
} as const;

/** Whether harm is ever found, looking after every value from the 24th on. */
function isEverHarm(values: readonly number[], harm: (blocks: BlockValues) => number): boolean {
  return values.some((_, at) => at >= 23 && harm(valuesOf(values.slice(0, at + 1))) >= NEEDED);
}

/** So many values around -0.2, then around `then`, each with noise of its own. */
function stepOf(then: number, { before, after }: { before: number; after: number }, seed = 3) {
  const random = seededRandom(seed);
  const around = (mean: number): number => mean + 0.3 * (random.unit() - 0.5);
  return Array.from({ length: before + after }, (_, at) => around(at < before ? -0.2 : then));
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
    for (const [when, harm] of Object.entries(HARMS)) {
      const runs = 200;
      let wrong = 0;
      for (let seed = 1; seed <= runs; seed += 1) {
        if (isEverHarm(runsOf(stay, 200, seed), harm)) wrong += 1;
      }
      const most = runs * (0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
      const what = `stays with ${stay}, harm ${when}`;
      t.ok(wrong <= most, `${what}: wrong in ${wrong} of ${runs} runs, at most ${most}`);
    }
  }
});

t.test(
  'harm that begins late is found, although the step looks like noise that lasts',
  async (t) => {
    const values = valuesOf(stepOf(0.25, { before: 200, after: 40 }));
    t.ok(logHarmOfBlocks(values) < NEEDED);
    t.ok(logHarmFromAnyStart(values, ANY_START) >= NEEDED);
    const within = { ...ANY_START, isBeyond: (from: number) => from < 150 };
    t.ok(
      logHarmFromAnyStart(values, within) < NEEDED,
      'not where plain counts are within the margin',
    );
  },
);

t.test('a series that went up and down before is not believed to have changed', async (t) => {
  const wandering = Array.from({ length: 5 }, (_, at) =>
    stepOf(0.25, { before: 40, after: 40 }, at + 1),
  ).flat();
  t.ok(logHarmFromAnyStart(valuesOf(wandering), ANY_START) < NEEDED);
});

t.test('harm from the beginning is found nearly as soon as without other starts', async (t) => {
  const values = valuesOf(stepOf(0.25, { before: 0, after: 60 }));
  const loss = logHarmOfBlocks(values) - logHarmFromAnyStart(values, ANY_START);
  t.ok(loss <= Math.log(8 / 7) + 1e-9, `${loss}`);
});

t.test('as many blocks as evidence can hold are judged in milliseconds', async (t) => {
  const values = valuesOf(stepOf(0.1, { before: 512, after: 512 }));
  const beganMs = performance.now();
  for (let look = 0; look < 20; look += 1) logHarmFromAnyStart(values, ANY_START);
  const eachMs = (performance.now() - beganMs) / 20;
  t.comment(`${eachMs.toFixed(2)} ms a look`);
  t.ok(eachMs < 100, `${eachMs} ms`);
});

t.test('a range without the margin inside it, and values outside it, prove nothing', async (t) => {
  t.throws(() => logHarmOfBlocks({ ...valuesOf([0.1]), lower: 0.05 }), /expected a range around 0/);
  t.throws(() => logSafeOfBlocks(valuesOf([0.6])), /expected values from -0.5 to 0.5, found 0.6/);
  t.throws(() => logHarmOfBlocks(valuesOf([Number.NaN])), /found NaN/);
});
