import t from 'tap';
import { type Check, EXIT_CODES, runGate } from '../../bench/gate.ts';
import { judge, worstOf } from '../../bench/judge.ts';
import { NothingMeasured } from '../../bench/loader.ts';

const TIME = { timeout: 100_000 };
t.setTimeout(4 * TIME.timeout);
const EFFORT = { rounds: 6, blockMs: 250, warmupMs: 100 };

/** A check whose sides are no servers: each block has about this rate. */
function aCheck(overPerSecond: number, underPerSecond: number): Check {
  let blocks = 0;
  const about = (rate: number) => async () => rate * (1 + (blocks++ % 3) / 100);
  const sides = { over: about(overPerSecond), under: about(underPerSecond) };
  return { name: 'made up', floor: 0.5, sides: async () => sides };
}

t.test('a ratio below its floor fails the gate, and one above passes it', TIME, async (t) => {
  const lines: string[] = [];
  const gate = (check: Check) => runGate([check], (line) => lines.push(line), { effort: EFFORT });
  t.equal(await gate(aCheck(400, 1_000)), 'failed');
  t.match(lines.splice(0), [
    /^failed: made up: 0\.39/,
    /failed: a ratio has fallen below its floor/,
  ]);
  t.equal(await gate(aCheck(900, 1_000)), 'passed');
  t.match(lines, [/^passed: made up: 0\.8[89]/, /no ratio has fallen below its floor/]);
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

t.test('only an interval that lies wholly below the floor fails', async (t) => {
  const steady = [1, 1.01, 0.99, 1, 1.01, 0.99];
  t.equal(judge([0.5, 0.51, 0.49, 0.5, 0.51, 0.49], steady, 0.6).verdict, 'failed');
  t.equal(judge([0.7, 0.71, 0.69, 0.7, 0.71, 0.69], steady, 0.6).verdict, 'passed');
  const noisy = [0.3, 0.9, 0.4, 0.8, 0.2, 0.7];
  t.equal(judge(noisy, steady, 0.6).verdict, 'inconclusive', 'it seems to be below');
  t.equal(judge(noisy, steady, 0.4).verdict, 'passed', 'it seems to be above');
});

t.test('nothing is concluded from a limit that differs from itself', async (t) => {
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
