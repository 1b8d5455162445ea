import t from 'tap';
import { inferAim, oneRow } from '../../bench/aim.ts';
import type { Effort } from '../../bench/figure.ts';
import { CHECKS, type Check, EXIT_CODES, type GateOptions, runGate } from '../../bench/gate.ts';
import { judge, type Verdict, worstOf } from '../../bench/judge.ts';
import { NothingMeasured } from '../../bench/loader.ts';
import { INPUT } from '../../bench/models.ts';

const TIME = { timeout: 100_000 };
/** All checks one after the other. */
const ALL_TIME = { timeout: 300_000 };
t.setTimeout(2 * ALL_TIME.timeout);
const EFFORT: Effort = { rounds: 6, blockMs: 250, warmupMs: 100 };
/** A busy machine may leave the gate without an answer, which is no answer to a test either. */
const TRIES = 3;

/** Several times what the gateway itself needs for a request of each: it has to be seen on a machine that runs other tests. */
const BURN_MS: Readonly<Record<string, number>> = {
  'a model that costs nothing over REST / echo': 0.5,
  '1 KB over gRPC / echo': 1,
  'floats in JSON / JSON.parse': 30,
  'a model of milliseconds / bare run': 10,
};

async function verdictOf(check: Check, options: GateOptions) {
  const lines: string[] = [];
  let verdict: Verdict = 'inconclusive';
  for (let tries = 0; tries < TRIES && verdict === 'inconclusive'; tries += 1) {
    verdict = await runGate([check], (line) => lines.push(line), { effort: EFFORT, ...options });
  }
  return { verdict, lines };
}

t.test('each check fails on a gateway that burns time for each request', ALL_TIME, async (t) => {
  for (const check of CHECKS) {
    const preload = new URL('../../bench/handicap.js', import.meta.url);
    preload.search = `ms=${BURN_MS[check.name]}`;
    const { verdict, lines } = await verdictOf(check, { start: { preload } });
    t.equal(verdict, 'failed', lines.join('\n'));
    t.match(lines.at(-1), /failed: a ratio has fallen below its floor/);
  }
});

t.test('a machine that stands still is no failure, and no pass', TIME, async (t) => {
  let blocks = 0;
  const stands = async (): Promise<number> => {
    blocks += 1;
    throw new NothingMeasured('no request began within a block');
  };
  const check: Check = {
    name: 'nothing',
    floor: 1,
    sides: async () => ({ over: stands, under: stands }),
  };
  const lines: string[] = [];
  const verdict = await runGate([check], (line) => lines.push(line), { effort: EFFORT });
  t.equal(verdict, 'inconclusive');
  t.equal(blocks, 2, 'it was looked at twice');
  t.match(lines[0], 'inconclusive: nothing: no request began within a block');
});

t.test('the gate passes where both sides are the same gateway', TIME, async (t) => {
  const same: Check = {
    name: 'the gateway over itself',
    floor: 0.7,
    sides: async ({ workplace, gateway, effort }) => {
      const asked = { port: gateway.port, protocol: 'rest-binary', model: 'tiny' } as const;
      const aim = inferAim(asked, [oneRow(INPUT, 16)]);
      const side = () => workplace.loader.closedRate(aim, { effort, inFlight: 16 });
      return { over: side, under: side };
    },
  };
  const { verdict, lines } = await verdictOf(same, {});
  t.equal(verdict, 'passed', lines.join('\n'));
});

t.test('only an interval that lies wholly below the floor fails', async (t) => {
  const steady = [1, 1.01, 0.99, 1, 1.01, 0.99];
  t.equal(judge([0.5, 0.51, 0.49, 0.5, 0.51, 0.49], steady, 0.6).verdict, 'failed');
  t.equal(judge([0.7, 0.71, 0.69, 0.7, 0.71, 0.69], steady, 0.6).verdict, 'passed');
  const noisy = [0.3, 0.9, 0.4, 0.8, 0.2, 0.7];
  t.equal(judge(noisy, steady, 0.6).verdict, 'inconclusive', 'it seems to be below');
  t.equal(judge(noisy, steady, 0.4).verdict, 'passed', 'it seems to be above');
});

t.test('nothing is said beside a limit that differs from itself', async (t) => {
  const low = [0.5, 0.51, 0.49, 0.5, 0.51, 0.49];
  const differs = [1.2, 1.21, 1.19, 1.2, 1.21, 1.19];
  t.equal(judge(low, differs, 0.6).verdict, 'inconclusive');
  t.equal(
    judge(
      low,
      differs.map((ratio) => 1 / ratio),
      0.6,
    ).verdict,
    'inconclusive',
  );
  t.throws(() => judge([0.5], [1], 0.6), RangeError, 'one round shows no spread');
});

t.test('a failure outweighs what is not known, and each verdict has an exit code', async (t) => {
  t.equal(worstOf(['passed', 'inconclusive', 'failed']), 'failed');
  t.equal(worstOf(['passed', 'inconclusive']), 'inconclusive');
  t.equal(worstOf(['passed']), 'passed');
  t.same(EXIT_CODES, { passed: 0, failed: 1, inconclusive: 3 });
});
