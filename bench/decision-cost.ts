import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { rankedClasses } from '../src/compare/comparators/ranked-classes.ts';
import { compare } from '../src/compare/compare.ts';
import { createWindow } from '../src/compare/create-window.ts';
import type { Window } from '../src/compare/window.ts';
import { DEFAULT_MARGINS, DEFAULTS, defaultSteps } from '../src/config/defaults.ts';
import { programFolder } from '../src/config/program.ts';
import { systemClock } from '../src/core/clock.ts';
import { NO_EVIDENCE } from '../src/core/evidence.ts';
import type { Observation, Pair } from '../src/core/outcome.ts';
import { type Random, seededRandom } from '../src/core/random.ts';
import {
  DEFAULT_UNIT,
  latencyBlockMsOf,
  type RolloutSpec,
  RULES_VERSION,
  slowBlockMsOf,
} from '../src/core/rollout.ts';
import { decide } from '../src/decide/decide.ts';
import { openFileLedger } from '../src/ledger/file.ts';
import { spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import { temporaryFolder } from './temporary-folder.ts';
import type { Workplace } from './workplace.ts';

const PAIRS = 5_000;
const LIVE_REQUESTS = 50_000;
const CLASSES = 10;
const EVENTS_PER_BLOCK = 5_000;
const DECISIONS_PER_BLOCK = 5;
const APPENDS_PER_BLOCK = 5;

/** The cost of judging: on the serving thread (each event), and outside of requests (each decision, each record). */
export const decisionCost: Suite = {
  name: 'decision-cost',
  title: 'The cost of one event, one decision and one record',
  effort: { rounds: 31, blockMs: 0, warmupMs: 0 },
  run: measureDecisionCost,
};

async function measureDecisionCost({ print }: Workplace, { rounds }: Effort): Promise<Measurement> {
  const random = seededRandom(1);
  const spec = aSpec();
  const full = fullWindow(spec, random);
  const evidence = { ...NO_EVIDENCE, ...full.snapshot() };
  const require = ['labelledLoss', 'pairedErrors', 'errors', 'slowRequests'] as const;
  const pairs = Array.from({ length: EVENTS_PER_BLOCK }, (_, at) => aPair(at, random));
  const comparator = rankedClasses({ output: 'probabilities', topK: 1 });
  const compared = newWindow(spec);
  const lived = newWindow(spec);
  const blocks: Record<'decide' | 'compare' | 'live' | 'append', number[]> = {
    decide: [],
    compare: [],
    live: [],
    append: [],
  };
  const ledger = await openTemporaryLedger();
  try {
    for (let round = 0; round < rounds; round += 1) {
      blocks.decide.push(
        await perCall(DECISIONS_PER_BLOCK, () => decide({ evidence, spec, require })),
      );
      blocks.compare.push(
        await perCall(EVENTS_PER_BLOCK, (at) => {
          const pair = pairs[at];
          if (pair !== undefined) compared.addComparison(compare(pair, comparator));
        }),
      );
      const liveRandom = seededRandom(round);
      blocks.live.push(await perCall(EVENTS_PER_BLOCK, (at) => addLive(lived, at, liveRandom)));
      const before = systemClock.monotonicMs();
      for (let append = 0; append < APPENDS_PER_BLOCK; append += 1) await ledger.append();
      const tookMs = systemClock.monotonicMs() - before;
      blocks.append.push((tookMs * 1000) / APPENDS_PER_BLOCK);
    }
  } finally {
    await ledger.remove();
  }
  print(`${rounds} rounds`);
  return {
    conditions: { pairs: PAIRS, labels: PAIRS, liveRequests: LIVE_REQUESTS },
    figures: [
      figure('decide on full evidence', blocks.decide),
      figure('compare a pair of 10 classes and fold it in', blocks.compare),
      figure('fold a live request in', blocks.live),
      figure('append a command to the ledger, fsync included', blocks.append),
    ],
  };
}

function figure(name: string, blocks: readonly number[]): Figure {
  return { name, unit: 'µs', spread: spreadOf(blocks) };
}

/** Microseconds of one call, over so many. */
async function perCall(calls: number, call: (at: number) => unknown): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  for (let at = 0; at < calls; at += 1) call(at);
  return ((systemClock.monotonicMs() - startedMs) * 1000) / calls;
}

/** All metrics of a default plan, with one slice. */
function aSpec(): RolloutSpec {
  const { intent: _, maxDuration: __, anchor: ___, ...defaults } = DEFAULTS.rollout;
  return {
    ...defaults,
    model: 'fashion',
    stable: '1',
    candidate: '2',
    intent: 'improve',
    slices: [{ garment: 'upper', tone: 'dark' }],
    margins: DEFAULT_MARGINS,
    minRequests: 500,
    expectedDisagreement: undefined,
    maxDurationMs: 86_400_000,
    steps: defaultSteps('improve'),
    unit: DEFAULT_UNIT,
    salt: 'bench',
    rules: RULES_VERSION,
  };
}

function newWindow({ salt, margins }: RolloutSpec): Window {
  return createWindow({
    rules: RULES_VERSION,
    unit: DEFAULT_UNIT,
    salt,
    latencyMargin: margins.pairedLatency,
    slowQuantile: margins.slowRequests.quantile,
    slowBlockMs: slowBlockMsOf(margins),
    latencyBlockMs: latencyBlockMsOf(margins),
    clock: systemClock,
    from: NO_EVIDENCE,
  });
}

/** What a rollout has seen near its end. */
function fullWindow(spec: RolloutSpec, random: Random): Window {
  const window = newWindow(spec);
  const comparator = rankedClasses({ output: 'probabilities', topK: 1 });
  for (let at = 0; at < PAIRS; at += 1) {
    window.countMirror({ kind: 'compared', load: random.integer(16) });
    window.addComparison(compare(aPair(at, random), comparator));
  }
  for (let at = 0; at < LIVE_REQUESTS; at += 1) addLive(window, at, random);
  return window;
}

function addLive(window: Window, at: number, random: Random): void {
  const startedMs = at * 2;
  // Most answers take one or two milliseconds, a few take ten times as long.
  const tookMs = (1 + random.unit()) * (random.unit() < 0.005 ? 10 : 1);
  window.addLive({
    unit: `unit-${at}`,
    side: at % 2 === 0 ? 'candidate' : 'reference',
    exposure: { candidateBp: 500, referenceBp: 500 },
    startedMs,
    endedMs: startedMs + tookMs,
    failure: random.unit() < 0.001 ? 'runtime_failed' : undefined,
  });
}

/** Every fifth pair is twinned, as in a default plan. */
function aPair(at: number, random: Random): Pair {
  return {
    requestId: `request-${at}`,
    unit: `unit-${at}`,
    attributes: {},
    stable: anAnswer(random),
    candidate: anAnswer(random),
    twin: at % 5 === 0 ? anAnswer(random) : undefined,
    shadowRun: at,
  };
}

function anAnswer(random: Random): Observation {
  const scores = Float32Array.from({ length: CLASSES }, () => random.unit());
  const data = new Uint8Array(scores.buffer);
  const shape = [1, CLASSES];
  return {
    kind: 'answer',
    outputs: [{ name: 'probabilities', dtype: 'FP32', shape, data }],
    computeMs: 0.1 + random.unit() / 100,
  };
}

/** On the disk that the program lies on: a temporary folder may be memory, where nothing ever has to be synced. */
async function openTemporaryLedger() {
  const parent = join(programFolder, 'var', 'bench');
  await mkdir(parent, { recursive: true });
  const folder = await temporaryFolder(join(parent, 'ledger-'));
  const ledger = await openFileLedger(folder.path, { clock: systemClock });
  const command = { kind: 'abort', model: 'fashion', reason: 'a record of usual size' } as const;
  return {
    append: () => ledger.append({ kind: 'command', command, refused: undefined }, ledger.head()),
    remove: async () => {
      await ledger.close();
      await folder.remove();
    },
  };
}
