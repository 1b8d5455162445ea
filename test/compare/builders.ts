import fc from 'fast-check';
import { createWindow } from '../../src/compare/create-window.ts';
import { type MaturePair, UnitLossTally } from '../../src/compare/unit-loss-tally.ts';
import type { Window, WindowOptions } from '../../src/compare/window.ts';
import { joinByteStrings } from '../../src/core/byte-strings.ts';
import { HandClock } from '../../src/core/clock.ts';
import type { Comparison } from '../../src/core/comparison.ts';
import { type Evidence, NO_EVIDENCE } from '../../src/core/evidence.ts';
import { NO_LABELS } from '../../src/core/label-evidence.ts';
import type { LiveObservation, MirrorEvent } from '../../src/core/messages.ts';
import type { Observation, Pair } from '../../src/core/outcome.ts';
import { DEFAULT_UNIT, RULES_VERSION } from '../../src/core/rollout.ts';
import type { Dtype, Signature, Tensor } from '../../src/core/tensor.ts';

export function aTensor(values: readonly number[], over: Partial<Tensor> = {}): Tensor {
  const data = new Uint8Array(new Float32Array(values).buffer);
  return { name: 'probabilities', dtype: 'FP32', shape: [1, values.length], data, ...over };
}

export function rows(...table: readonly (readonly number[])[]): Tensor {
  return aTensor(table.flat(), { shape: [table.length, table[0]?.length ?? 0] });
}

/** Whole numbers of 64 bits, one per row. */
export function wholes(values: readonly number[], over: Partial<Tensor> = {}): Tensor {
  const data = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
  return { name: 'ids', dtype: 'INT64', shape: [values.length], data, ...over };
}

/** Text, one per row. */
export function texts(values: readonly string[], over: Partial<Tensor> = {}): Tensor {
  const data = joinByteStrings(values.map((value) => new TextEncoder().encode(value)));
  return { name: 'text', dtype: 'BYTES', shape: [values.length], data, ...over };
}

export function aSignature(outputs: readonly [string, Dtype, readonly number[]][]): Signature {
  return {
    inputs: [{ name: 'image', dtype: 'FP32', shape: [-1, 1, 28, 28] }],
    outputs: outputs.map(([name, dtype, shape]) => ({ name, dtype, shape })),
  };
}

export function anAnswer(...outputs: readonly Tensor[]): Observation {
  return { kind: 'answer', outputs, computeMs: 1 };
}

export const FAILURE: Observation = { kind: 'failure', code: 'runtime_failed', message: 'bad' };

export function aPair(over: Partial<Pair> = {}): Pair {
  return {
    requestId: 'r1',
    unit: over.requestId ?? 'r1',
    attributes: {},
    stable: anAnswer(aTensor([0.9, 0.1])),
    candidate: anAnswer(aTensor([0.9, 0.1])),
    twin: undefined,
    shadowRun: 1,
    ...over,
  };
}

export function aComparison(over: Partial<Comparison> = {}): Comparison {
  return {
    difference: 'same',
    score: 0,
    noise: undefined,
    stableFailed: false,
    candidateFailed: false,
    latency: undefined,
    ...over,
  };
}

export function aLive(over: Partial<LiveObservation> = {}): LiveObservation {
  return {
    unit: undefined,
    side: 'candidate',
    exposure: { candidateBp: 500, referenceBp: 9_500 },
    startedMs: 0,
    endedMs: 5,
    failure: undefined,
    ...over,
  };
}

export function aWindow(over: Partial<WindowOptions> = {}): Window {
  return createWindow({
    rules: RULES_VERSION,
    unit: DEFAULT_UNIT,
    salt: 'salt',
    latencyMargin: { ratio: 1.25, floorMs: 0.1 },
    slowQuantile: 0.9,
    slowBlockMs: 5_000,
    latencyBlockMs: 10_000,
    clock: new HandClock(),
    from: NO_EVIDENCE,
    ...over,
  });
}

/** One thing that happens to a window. */
export type Happening = (window: Window) => void;

const score = fc.oneof(
  fc.integer({ min: 0, max: 1000 }).map((step) => step / 1000),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

const comparisons: fc.Arbitrary<Comparison> = fc.record({
  difference: fc.constant('values' as const),
  score: fc.option(score, { nil: undefined }),
  noise: fc.option(score, { nil: undefined }),
  stableFailed: fc.boolean(),
  candidateFailed: fc.boolean(),
  latency: fc.option(
    fc.record({
      candidateMs: fc.double({ min: 0.1, max: 9, noNaN: true }),
      twinMs: fc.double({ min: 0.1, max: 9, noNaN: true }),
      // Which pairs shared a run is not in evidence, so it cannot survive a split of the window.
      shadowRun: fc.constant(undefined),
    }),
    { nil: undefined },
  ),
});

const maturePairs: fc.Arbitrary<MaturePair> = fc.record({
  slices: fc.constantFrom([], ['tone=dark'], ['tone=dark', 'tone=light']),
  apart: fc.constantFrom(0, 1),
  byControl: fc.boolean(),
  losses: fc.option(fc.record({ stable: score, candidate: score }), { nil: undefined }),
});

/** Units whose label window has ended. */
export const matureUnits = fc.array(fc.array(maturePairs, { minLength: 1, maxLength: 3 }), {
  maxLength: 30,
});

const labelled: fc.Arbitrary<Partial<Evidence>> = fc
  .tuple(matureUnits, fc.nat({ max: 9 }), fc.nat({ max: 9 }))
  .map(([units, late, unmatched]) => {
    const tally = new UnitLossTally({ ...NO_EVIDENCE, coverage: {} });
    for (const unit of units) tally.add(unit);
    const { coverage, ...losses } = tally.snapshot();
    const labels = { joined: units.length, unmatched };
    return { ...losses, labels, labelling: { ...NO_LABELS, late, coverage } };
  });

const load = fc.integer({ min: 0, max: 40 });
const mirrorEvents: fc.Arbitrary<MirrorEvent> = fc.oneof(
  fc.constant({ kind: 'notSampled' } as const),
  fc.record({
    kind: fc.constant('dropped' as const),
    reason: fc.constantFrom('queueFull', 'brownout'),
    load,
  }),
  fc.record({ kind: fc.constantFrom('timedOut', 'failed', 'compared'), load }),
);

/** All that can happen in shadow. */
export const shadowHappenings: fc.Arbitrary<Happening> = fc.oneof(
  comparisons.map(
    (c): Happening =>
      (window) =>
        window.addComparison(c),
  ),
  mirrorEvents.map(
    (event): Happening =>
      (window) =>
        window.countMirror(event),
  ),
);

/** Live requests that never overlap: each one's number is its place in time. */
export const liveHappenings = liveRequests(fc.boolean());

/** Of units that do not come again: those that come again cannot be recognised after a restart. */
export const passingHappenings = liveRequests(fc.constant(false));

function liveRequests(comesAgain: fc.Arbitrary<boolean>): fc.Arbitrary<readonly Happening[]> {
  return fc
    .array(
      fc.record({
        comesAgain,
        side: fc.constantFrom('candidate' as const, 'reference' as const),
        candidateBp: fc.constantFrom(500, 2_500),
        failure: fc.constantFrom(undefined, 'runtime_failed' as const, 'invalid_input' as const),
      }),
      { maxLength: 60 },
    )
    .map((requests) =>
      requests.map(({ candidateBp, comesAgain, ...request }, index): Happening => {
        const unit = comesAgain ? `u${index}` : undefined;
        const exposure = { candidateBp, referenceBp: 10_000 - candidateBp };
        const times = { startedMs: index * 10, endedMs: index * 10 + 5 };
        return (window) => window.addLive({ ...request, unit, exposure, ...times });
      }),
    );
}

/** What a window holds after some things have happened. */
export const evidences: fc.Arbitrary<Evidence> = fc
  .tuple(fc.array(shadowHappenings, { maxLength: 30 }), liveHappenings, labelled)
  .map(([shadow, live, labels]) => ({
    ...afterAll(aWindow(), [...shadow, ...live]),
    ...labels,
  }));

export function afterAll(window: Window, happenings: readonly Happening[]): Evidence {
  for (const happen of happenings) happen(window);
  return { ...NO_EVIDENCE, ...window.snapshot() };
}
