import t from 'tap';
import { LiveErrors } from '../../src/compare/live-errors.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { judgeErrors } from '../../src/decide/errors.ts';
import { aSpec } from '../decide/builders.ts';
import { aLive } from './builders.ts';

const RULE = { requests: 20, windowMs: 60_000 };

/** Clients of both arms that send a request a second; those of the candidate fail from a moment on. */
function clients(count: number, seconds: number, failsFromS: number) {
  const errors = new LiveErrors({ salt: 's', unit: RULE }, NO_EVIDENCE);
  for (let second = 0; second < seconds; second += 1) {
    for (let client = 0; client < count; client += 1) {
      const side = client % 2 === 0 ? 'candidate' : 'reference';
      const isFailed = side === 'candidate' && second >= failsFromS;
      errors.add(
        aLive({
          ...{ unit: `client ${client}`, side, exposure: { candidateBp: 500, referenceBp: 500 } },
          ...{ startedMs: second * 1000, endedMs: second * 1000 },
          failure: isFailed ? 'runtime_failed' : undefined,
        }),
      );
    }
  }
  return { ...NO_EVIDENCE, ...errors.snapshot() };
}

t.test('a candidate that fails clients after they have counted is not believed', async (t) => {
  const held = (evidence: ReturnType<typeof clients>) => {
    const { proof } = judgeErrors(evidence, aSpec());
    return proof.kind === 'evidence' ? proof.held : proof.why;
  };
  t.equal(held(clients(200, 300, 300)), undefined);
  t.match(held(clients(200, 300, 200)), /% of the candidate's requests failed/);
});

t.test('one client weighs no more than its share, however much it sends', async (t) => {
  const { liveFelt } = clients(2, 244, 0);
  const { candidate, reference } = liveFelt?.['500:500'] ?? {};
  t.same(candidate, { requests: 80, failed: 80 }, '20 in each of four windows');
  t.same(reference, { requests: 80, failed: 0 });
});
