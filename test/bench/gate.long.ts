import t from 'tap';
import { inferAim, oneRow } from '../../bench/aim.ts';
import type { Effort } from '../../bench/effort.ts';
import { CHECKS, type Check, type GateOptions, runGate } from '../../bench/gate.ts';
import type { Verdict } from '../../bench/judge.ts';
import { INPUT } from '../../bench/models.ts';

const TIME = { timeout: 100_000 };
t.setTimeout((CHECKS.length + 1) * TIME.timeout);
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

/** What the gate says of one check, and its lines. */
async function verdictOf(check: Check, options: GateOptions) {
  const lines: string[] = [];
  let verdict: Verdict = 'inconclusive';
  for (let tries = 0; tries < TRIES && verdict === 'inconclusive'; tries += 1) {
    verdict = await runGate([check], (line) => lines.push(line), {
      effort: EFFORT,
      ...options,
    });
  }
  return { verdict, lines };
}

for (const check of CHECKS) {
  t.test(`fails on a gateway that burns time for each request: ${check.name}`, TIME, async (t) => {
    const preload = new URL('../../bench/handicap.js', import.meta.url);
    preload.search = `ms=${BURN_MS[check.name]}`;
    const { verdict, lines } = await verdictOf(check, { start: { preload } });
    t.equal(verdict, 'failed', lines.join('\n'));
    t.match(lines.at(-1), /failed: a ratio has fallen below its floor/);
  });
}

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
