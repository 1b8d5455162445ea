import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import t from 'tap';
import { interleave, ratiosOf } from '../../bench/blocks.ts';
import { type Judgement, judge } from '../../bench/judge.ts';
import { NO_CREDENTIALS } from '../../src/core/caller.ts';
import { someDoors } from './some-doors.ts';

const CHECKS_PER_BLOCK = 2_000;
const ROUNDS = 15;
/** Of the rate of a bare HMAC-SHA256: a check may take twice its time. */
const FLOOR = 0.5;

/** How often a second it can be done. */
function rateOf(work: () => unknown): number {
  const startMs = performance.now();
  for (let count = 0; count < CHECKS_PER_BLOCK; count += 1) work();
  return (CHECKS_PER_BLOCK * 1_000) / (performance.now() - startMs);
}

t.test(
  'a caller is known by its key in at most twice the time of a bare HMAC-SHA256',
  async (t) => {
    const { doors, key } = await someDoors(t);
    const secret = createSecretKey(randomBytes(32));
    const credentials = { ...NO_CREDENTIALS, authorization: [`Bearer ${key}`] };
    const over = () => rateOf(() => doors.identify(credentials));
    const under = () => rateOf(() => createHmac('sha256', secret).update(key).digest());
    const blocks = { over, under, underAgain: under };
    const measure = async (): Promise<Judgement> => {
      const kinds = ['under', 'over', 'underAgain'] as const;
      const rates = await interleave(kinds, ROUNDS, async (kind) => blocks[kind]());
      const aaControl = ratiosOf(rates.underAgain, rates.under);
      return judge(ratiosOf(rates.over, rates.under), aaControl, FLOOR);
    };
    await measure();
    const first = await measure();
    const found = first.verdict === 'passed' ? first : await measure();
    const { estimate, lower, upper } = found.ratio;
    const ratio = `${estimate.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})`;
    t.comment(`checks of keys / bare HMAC-SHA256: ${ratio}, floor ${FLOOR}`);
    // As of the benchmark gate, inconclusive counts as skipped: the machine is too noisy to compare.
    t.not(found.verdict, 'failed', ratio);
  },
);
