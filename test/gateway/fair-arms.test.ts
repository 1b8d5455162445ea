import t from 'tap';
import { LiveWindow } from '../../src/compare/rules-1/live-window.ts';
import { NO_EVIDENCE } from '../../src/core/evidence.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { judgeLiveEvents } from '../../src/decide/rules-1/live-events.ts';
import { ArmPausedError, armBudgetMs, TrialArm } from '../../src/gateway/trial-arm.ts';

const DEADLINE_MS = 1_000;
const GAP_MS = 10;
const TRIALS = 150;
const REQUESTS = 6_000;
const ALPHA = 0.05;
const RULE = { event: 'errors', ratio: 2, absolute: 0.002, evenOnly: false } as const;

type Stalls = { readonly candidate: number; readonly reference: number };

type Side = keyof Stalls;
type Ending = { readonly atMs: number; readonly end: () => void };

/** An arm whose process stalls for a while now and then. */
class StallingArm {
  readonly #arm = new TrialArm('arm', 1_024);
  readonly #chance: number;
  #stalledUntilMs = 0;
  #pending: readonly Ending[] = [];

  constructor(chance: number) {
    this.#chance = chance;
  }

  advance(nowMs: number, random: Random): void {
    for (const { atMs, end } of this.#pending) if (atMs <= nowMs) end();
    this.#pending = this.#pending.filter(({ atMs }) => atMs > nowMs);
    if (random.integer(1_000_000) >= this.#chance * 1_000_000) return;
    this.#stalledUntilMs = nowMs + 100 + random.integer(2_000);
  }

  /** How a request that comes now ends. */
  ask(nowMs: number) {
    const budgetMs = armBudgetMs(DEADLINE_MS, 20);
    try {
      const place = this.#arm.enter(budgetMs, nowMs);
      const isLate = this.#stalledUntilMs > nowMs + budgetMs;
      const endedMs = isLate ? nowMs + budgetMs : Math.max(nowMs + 5, this.#stalledUntilMs);
      const end = () => this.#arm.leave(place, isLate ? 'timeout' : 'answer', endedMs);
      this.#pending = [...this.#pending, { atMs: endedMs, end }];
      const failure = isLate ? ('deadline_exceeded' as const) : undefined;
      return { endedMs, failure, coversUntilMs: undefined };
    } catch (thrown) {
      if (!(thrown instanceof ArmPausedError)) throw thrown;
      return { endedMs: nowMs, failure: thrown.code, coversUntilMs: thrown.untilMs };
    }
  }
}

/** One canary of two arms whose processes stall by the given chance per request; true: the candidate was found worse. */
function aTrial(seed: number, stalls: Stalls): boolean {
  const random = seededRandom(seed);
  const window = new LiveWindow({ salt: 's', slowQuantile: 0.99 }, NO_EVIDENCE);
  const arms: Record<Side, StallingArm> = {
    candidate: new StallingArm(stalls.candidate),
    reference: new StallingArm(stalls.reference),
  };
  const exposure = { candidateBp: 1_000, referenceBp: 1_000 };
  for (let nowMs = GAP_MS; nowMs < REQUESTS * GAP_MS; nowMs += GAP_MS) {
    arms.candidate.advance(nowMs, random);
    arms.reference.advance(nowMs, random);
    const side = random.integer(2) === 0 ? 'candidate' : 'reference';
    window.add({ unit: undefined, side, exposure, startedMs: nowMs, ...arms[side].ask(nowMs) });
  }
  const { proof } = judgeLiveEvents({ ...NO_EVIDENCE, ...window.snapshot() }, RULE);
  return proof.kind === 'evidence' && proof.logHarm >= Math.log(1 / ALPHA);
}

function harmed(stalls: Stalls): number {
  let found = 0;
  for (let seed = 1; seed <= TRIALS; seed += 1) if (aTrial(seed, stalls)) found += 1;
  return found / TRIALS;
}

t.test(
  'two arms of one build, stalling alike, are distinguished no more often than stated',
  async (t) => {
    const share = harmed({ candidate: 0.0005, reference: 0.0005 });
    t.ok(share <= ALPHA, `${share * 100} % of identical candidates were failed`);
  },
);

t.test('a candidate that stalls far more often is found all the same', async (t) => {
  const share = harmed({ candidate: 0.01, reference: 0.0005 });
  t.ok(share >= 0.8, `${share * 100} % were found`);
});
