import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { calibrate } from '../../bench/calibration/calibrate.ts';
import { CodeDigests } from '../../bench/calibration/code-digest.ts';
import { CONTENDERS } from '../../bench/calibration/head-to-head.ts';
import { gatePictures } from '../../bench/calibration/head-to-head-table.ts';
import { limitOfLinear, limitOfMean } from '../../bench/calibration/information-limit.ts';
import { readResults, withResults } from '../../bench/calibration/page.ts';
import { readWorlds } from '../../bench/calibration/read-worlds.ts';
import { failing, healthy, requests } from '../../bench/calibration/requests.ts';
import { simulate } from '../../bench/calibration/simulate.ts';
import { atHalf } from '../../bench/calibration/steps.ts';
import { standingOf } from '../../bench/calibration/table.ts';
import { shareMax } from '../../bench/calibration/tally.ts';
import { understudy } from '../../bench/calibration/understudy.ts';
import { VirtualTime } from '../../bench/calibration/virtual-time.ts';
import type { World } from '../../bench/calibration/world.ts';
import { DEFAULT_MARGINS } from '../../src/config/defaults.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Decide } from '../../src/rollout/action/judge.ts';
import { projectRoot } from '../support/project-root.ts';

/** Both versions fail a tenth of the requests, so events are frequent and a run is short. */
const SAME: World = {
  name: 'same',
  about: 'Both versions fail 10 % of the requests.',
  claim: 'fair',
  rollout: { steps: atHalf('errors'), margins: { errors: { ratio: 1, absolute: 0.0001 } } },
  requestsMax: 3_000,
  nature: (random) =>
    requests(random, 200, () => ({
      live: () => (random.unit() < 0.1 ? failing(random) : healthy(random)),
    })),
};

const RUNS = 30;
const NOT_KEPT = { runs: RUNS, progress: undefined };

t.test('the real rule keeps within its budget where the versions are the same', async (t) => {
  const kept = await calibrate(SAME, { contender: understudy(), ...NOT_KEPT });
  t.equal(kept.tally.runs, RUNS);
  t.equal(standingOf(kept), 'within', JSON.stringify(kept.tally));
});

t.test('a rule with a wrong threshold is found out', async (t) => {
  const errors = { ...DEFAULT_MARGINS.errors, ratio: 0.4 };
  const hasty: Decide = ({ spec, ...question }) =>
    decide({ ...question, spec: { ...spec, margins: { ...spec.margins, errors } } });
  const kept = await calibrate(SAME, { contender: understudy(hasty), ...NOT_KEPT });
  t.equal(standingOf(kept), 'beyond', JSON.stringify(kept.tally));
  t.equal(standingOf({ ...kept, knownBeyond: 'planted' }), 'known');
});

t.test('equal seeds give equal runs, and others do not', async (t) => {
  const run = (seed: number) => simulate({ ...SAME, requestsMax: 500 }, understudy(), seed);
  t.same(run(3), run(3));
  t.notSame(run(3), run(4));
});

t.test('a calibration that was stopped goes on where it was', async (t) => {
  const folder = t.testdir();
  const world = { ...SAME, requestsMax: 200 };
  const upTo = (runs: number, code: string) =>
    calibrate(world, {
      contender: understudy(),
      runs,
      progress: { folder, code },
    });
  const whole = await calibrate(world, { ...NOT_KEPT, contender: understudy() });
  await upTo(7, 'a');
  t.same((await upTo(RUNS, 'a')).tally, whole.tally);
  t.equal((await upTo(2, 'b')).tally.runs, 2, 'runs of other code do not count');
});

t.test('runs are of other code once anything that their world imports is edited', async (t) => {
  const folder = t.testdir({
    'world.js': "import {\n  b,\n} from './b.js';\nexport const a = b;\n",
    'b.js': 'export const b = 1;\n',
    'c.js': 'export const c = 1;\n',
  });
  const edit = (file: string, text: string) => writeFile(path.join(folder, file), text);
  const digest = () => new CodeDigests().of(path.join(folder, 'world.js'));
  const before = await digest();
  await edit('c.js', 'export const c = 2;\n');
  await edit('b.js', '/**\n * Said\n * better.\n */\n// In two ways.\nexport const b = 1;\n');
  t.equal(await digest(), before, 'by what it does not import, and by comments, nothing changes');
  await edit('b.js', 'export const b = 2;\n');
  t.not(await digest(), before);
  const files = await new CodeDigests().files(path.join(folder, 'world.js'));
  for (const rule of ['src/decide/errors.js', 'src/compare/units.js', 'src/stats/mixture.js'])
    t.ok(files.includes(path.join(projectRoot, 'out', rule)), rule);
});

t.test('what is due runs in the order of its moments, not of planning', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 60 }), (moments) => {
      const time = new VirtualTime();
      const ran: [number, number][] = [];
      for (const [at, ms] of moments.entries()) {
        time.at(ms, () => ran.push([time.monotonicMs(), at]));
      }
      time.advanceTo(25);
      time.advanceTo(100);
      const due = moments.map((ms, at): [number, number] => [ms, at]);
      return JSON.stringify(ran) === JSON.stringify(due.sort(([a, x], [b, y]) => a - b || x - y));
    }),
  );
  t.pass('for any plan');
});

t.test('the bound is three standard errors above the budget', async (t) => {
  t.equal(shareMax(0.05, 1_000).toFixed(4), '0.0707');
});

t.test('every world has a name of its own and says what is true in it', async (t) => {
  const worlds = await readWorlds();
  for (const { name, about } of worlds) {
    t.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    t.match(about, /^[A-Z\d].*\.$/, name);
  }
});

t.test('the page says what --report makes of the results beside it', async (t) => {
  const page = await readFile(path.join(projectRoot, 'docs', 'calibration.md'), 'utf8');
  const folder = path.join(projectRoot, 'docs', 'calibration');
  const results = await readResults(path.join(folder, 'results'));
  t.equal(page, withResults(page, results, 'calibration'));
  for (const { file, svg } of gatePictures(results.gates)) {
    t.equal(await readFile(path.join(folder, file), 'utf8'), svg, file);
  }
});

t.test('the limits are those that other code has computed', async (t) => {
  const errors = { odds: 0.5, ratio: 2, absolute: 0.002, error: 0.05 } as const;
  const none = limitOfLinear({ ...errors, candidate: 0, reference: 0, finding: 'nonInferior' });
  t.equal(Math.round(none), 2_993);
  const same = limitOfMean({
    truth: [
      [-1, 0.05],
      [0, 0.9],
      [1, 0.05],
    ],
    lower: -1,
    upper: 1,
    margin: 0.02,
    finding: 'nonInferior',
    error: 0.05,
  });
  t.equal(Math.round(same), 1_521);
  const slower = limitOfMean({
    truth: [
      [0, 0.25],
      [1, 0.75],
    ],
    lower: 0,
    upper: 1,
    margin: 0.5,
    finding: 'worse',
    error: 0.01,
  });
  t.equal(Math.round(slower), 35);
});

t.test('each gate refuses what always fails and passes what never does', async (t) => {
  const world = (rate: number): World => ({
    ...SAME,
    requestsMax: 40_000,
    rollout: {},
    nature: (random) =>
      requests(random, 10, () => ({
        live: (arm) =>
          arm === 'candidate' && random.unit() < rate ? failing(random) : healthy(random),
      })),
  });
  for (const contender of CONTENDERS.slice(0, -1)) {
    t.equal(simulate(world(1), contender, 1).ending, 'rolledBack', contender.name);
    t.equal(simulate(world(0), contender, 2).ending, 'promoted', contender.name);
  }
});
