/**
 * Worlds that broke rules which took each request for a unit, through the real window: how often a verdict is wrong at the
 * margin, looking again and again, and how often it is right away from it. Seeded, and short; `npm run calibration` has the long form.
 */
import t, { type Test } from 'tap';
import { createWindow } from '../../src/compare/create-window.ts';
import type { Window } from '../../src/compare/window.ts';
import { HandClock } from '../../src/core/clock.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import type { Finding } from '../../src/core/verdict.ts';
import { judgeErrors } from '../../src/decide/errors.ts';
import { type Judgement, statusOf } from '../../src/decide/judgement.ts';
import { judgePairedErrors } from '../../src/decide/paired-errors.ts';
import { aComparison, aLive } from '../compare/builders.ts';
import { aSpec } from './builders.ts';

const UNIT = { requests: 5, windowMs: 1_000 };
const base = aSpec({ unit: UNIT });
const SPEC: RolloutSpec = {
  ...base,
  margins: { ...base.margins, errors: { ratio: 2, absolute: 0.02 } },
};
const ALPHA = 0.05;
const EVEN = { candidateBp: 500, referenceBp: 500 };

type Rule = (evidence: Evidence, spec: RolloutSpec) => Judgement;
/** Adds one look's worth of requests; undefined: the world has ended. */
type World = (random: Random) => (window: Window, look: number) => Window | undefined;

function aWindow(from: Evidence): Window {
  return createWindow({
    rules: 2,
    unit: UNIT,
    salt: 'salt',
    latencyMargin: SPEC.margins.pairedLatency,
    slowQuantile: 0.99,
    slowBlockMs: 5_000,
    latencyBlockMs: 10_000,
    clock: new HandClock(),
    from,
  });
}

function evidenceOf(window: Window): Evidence {
  return { ...NO_EVIDENCE, ...window.snapshot() };
}

/** What a rule finds first, at any look, if all of the budget is its own. */
function firstFinding(world: World, rule: Rule, seed: number): Finding {
  const advance = world(seededRandom(seed));
  const plan = { key: { metric: 'errors', slice: undefined }, role: 'gate', weight: 1 } as const;
  let window: Window | undefined = aWindow(NO_EVIDENCE);
  for (let look = 0; window !== undefined; look += 1) {
    const { finding } = statusOf(plan, rule(evidenceOf(window), SPEC), SPEC);
    if (finding !== 'undecided') return finding;
    window = advance(window, look);
  }
  return 'undecided';
}

/** How often each finding comes first. */
function findings(world: World, rule: Rule, runs: number) {
  const found = Array.from({ length: runs }, (_, run) => firstFinding(world, rule, 7_000 + run));
  const share = (finding: Finding) => found.filter((each) => each === finding).length / runs;
  return { worse: share('worse'), nonInferior: share('nonInferior') };
}

/** At the margin, both findings are wrong. */
function errsRarely(t: Test, world: World, rule: Rule): void {
  const runs = 30;
  const most = ALPHA + 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / runs);
  for (const [finding, wrong] of Object.entries(findings(world, rule, runs))) {
    t.ok(wrong <= most, `${finding} in ${wrong} of the runs, at most ${most.toFixed(3)}`);
  }
}

type Rates = (user: number) => { readonly candidate: number; readonly reference: number };

/** 800 users, each with one arm; they take turns for eight rounds, which is more than what counts of each. */
function users(rates: Rates, restartAt?: number): World {
  return (random) => {
    const arms = Array.from({ length: USERS }, () =>
      random.unit() < 0.5 ? ('candidate' as const) : ('reference' as const),
    );
    return (window, look) => {
      if (look >= LOOKS) return undefined;
      for (let at = 0; at < PER_LOOK; at += 1) {
        const turn = look * PER_LOOK + at;
        const startedMs = turn * 0.5;
        // Users come one group after another, a hundred at a time.
        const user = 100 * Math.floor(turn / 800) + (turn % 100);
        const side = arms[user] ?? 'reference';
        const failure = random.unit() < rates(user)[side] ? ('runtime_failed' as const) : undefined;
        const times = { startedMs, endedMs: startedMs + 0.2 };
        window.addLive(aLive({ unit: `user ${user}`, side, failure, exposure: EVEN, ...times }));
      }
      return look === restartAt ? aWindow(evidenceOf(window)) : window;
    };
  };
}

const USERS = 800;
const PER_LOOK = 400;
const LOOKS = (USERS * 8) / PER_LOOK;

/** One user in ten errs a hundred times more often. */
const unlike = (user: number): number => (user % 10 === 0 ? 0.02 : 0.0002);
const atMargin: Rates = (user) => ({ candidate: 2 * unlike(user) + 0.02, reference: unlike(user) });
const same: Rates = (user) => ({ candidate: unlike(user), reference: unlike(user) });
const worse: Rates = (user) => ({ candidate: 0.15 + unlike(user), reference: unlike(user) });

t.test('users who return and are unlike each other: rarely wrong at the margin', async (t) => {
  errsRarely(t, users(atMargin), judgeErrors);
});

t.test('the same with a restart half way', async (t) => {
  errsRarely(t, users(atMargin, 8), judgeErrors);
});

t.test('a candidate that is as good is proven, and one that is worse is found', async (t) => {
  const found = [
    findings(users(same), judgeErrors, 5).nonInferior,
    findings(users(same, 8), judgeErrors, 5).nonInferior,
    findings(users(worse), judgeErrors, 5).worse,
  ];
  t.ok(Math.min(...found) >= 0.6, found.join(', '));
});

/** Each pair five times in a row, as retries and frames of a video are: the candidate fails 1.5 points more often. */
const repeated =
  (points: number): World =>
  (random) =>
  (window, look) => {
    if (look >= 40) return undefined;
    for (let at = 0; at < 100; at += 1) {
      const content = `${look} ${at}`;
      const stableFailed = random.unit() < 0.01;
      const candidateFailed = random.unit() < 0.01 + points;
      const unit = { sticky: undefined, content };
      for (let time = 0; time < 5; time += 1) {
        const drawnMs = look * 1_000 + at * 10 + time;
        window.addComparison(aComparison({ unit, drawnMs, stableFailed, candidateFailed }));
      }
    }
    return window;
  };

t.test('pairs that come five times in a row: rarely wrong at the margin', async (t) => {
  errsRarely(t, repeated(0.01), judgePairedErrors);
  t.equal(findings(repeated(0.1), judgePairedErrors, 5).worse, 1);
});

/** Rates of both arms by the moment, requests of their own. */
function drifting(rates: (look: number) => { candidate: number; reference: number }): World {
  return (random) => (window, look) => {
    if (look >= 30) return undefined;
    for (let at = 0; at < 200; at += 1) {
      const startedMs = look * 200 + at;
      const side = random.unit() < 0.5 ? ('candidate' as const) : ('reference' as const);
      const failure = random.unit() < rates(look)[side] ? ('runtime_failed' as const) : undefined;
      window.addLive(aLive({ side, failure, exposure: EVEN, startedMs, endedMs: startedMs + 0.2 }));
    }
    return window;
  };
}

t.test('rates that drift and stay at the margin at every moment: rarely wrong', async (t) => {
  const base = (look: number): number => (look % 4 === 3 ? 0.05 : 0.002);
  const world = drifting((look) => ({ candidate: 2 * base(look) + 0.02, reference: base(look) }));
  errsRarely(t, world, judgeErrors);
});

t.test(
  'a candidate that is within one of two limits at each moment is not found worse',
  async (t) => {
    // Quiet: below the absolute rate. Busy: twice the reference. The larger of two limits called it worse.
    const world = drifting((look) =>
      look % 4 === 3
        ? { candidate: 0.08, reference: 0.04 }
        : { candidate: 0.018, reference: 0.002 },
    );
    t.ok(findings(world, judgeErrors, 12).worse <= 0.1);
  },
);

/** An arm stands still for a second, by itself: what begins meanwhile waits until the end, and mostly fails. */
const pauses: World = (random) => {
  const until = { candidate: 0, reference: 0 };
  const liveAt = (startedMs: number) => {
    for (const side of ['candidate', 'reference'] as const) {
      if (random.unit() < 0.002) until[side] = startedMs + 1_000;
    }
    const side = random.unit() < 0.5 ? ('candidate' as const) : ('reference' as const);
    const isPaused = until[side] > startedMs;
    const failure = isPaused && random.unit() < 0.9 ? ('deadline_exceeded' as const) : undefined;
    const endedMs = isPaused ? until[side] : startedMs + 5;
    return aLive({ side, failure, exposure: EVEN, startedMs, endedMs });
  };
  return (window, look) => {
    if (look >= 60) return undefined;
    for (let at = 0; at < 200; at += 1) window.addLive(liveAt((look * 200 + at) * 5));
    return window;
  };
};

t.test('pauses of each arm by itself, of versions that are the same: never worse', async (t) => {
  t.ok(findings(pauses, judgeErrors, 12).worse <= 0.1);
});
