import t from 'tap';
import { type Evidence, NO_EVIDENCE } from '../../../src/core/evidence.ts';
import type { MetricStatus, Verdict } from '../../../src/core/verdict.ts';
import { bindingText } from '../../../src/rollout/action/binding-need.ts';
import { aRollout, aSpec, aStatus, aVerdict, evidenceOf, progressing } from '../builders.ts';

const MINUTE = 60_000;
const COVERED: Evidence = {
  ...NO_EVIDENCE,
  mirror: { ...NO_EVIDENCE.mirror, eligible: 1_000, compared: 900 },
};
const DARK = { tone: 'dark' };

type Given = {
  readonly reasons?: Verdict['reasons'];
  readonly evidence?: Evidence;
  readonly nowMs?: number;
  readonly sinceMs?: number;
};

function textOf(open: readonly MetricStatus[], given: Given = {}): string {
  const { reasons = [], evidence = COVERED, nowMs = 10 * MINUTE, sinceMs = 0 } = given;
  const rollout = aRollout({ spec: aSpec(), phase: progressing(1, sinceMs) });
  const verdict = aVerdict('inconclusive', { metrics: open, reasons });
  return bindingText({ rollout, verdict, evidence, nowMs }, open);
}

t.test('what takes longest binds, with its time at this rate and what to do', async (t) => {
  t.equal(
    textOf([
      aStatus({ metric: 'pairedErrors', samples: 1_000, samplesToGo: 900 }),
      aStatus({ metric: 'labelledLoss', slice: DARK, samples: 100, samplesToGo: 800 }),
      aStatus({ metric: 'labelledLoss', samples: 1_000, samplesToGo: 800 }),
    ]),
    'labelledLoss{tone=dark} needs ~800 more labels (1 h 20 min at this rate). Label tone=dark first, or widen margins.labelledLoss.',
  );
});

t.test('what no waiting brings binds before what takes time', async (t) => {
  const slow = aStatus({ samples: 10, samplesToGo: 1_000_000 });
  const never = aStatus({ metric: 'errors', estimate: 1.93, samplesToGo: undefined });
  const missing = aStatus({ metric: 'labelledLoss', samples: 0, missing: 'no labels' });
  const reasons = ['labelledLoss: no labels', 'mirror coverage is 71.0 %'];
  t.match(textOf([slow, never], {}), /^errors: more samples will not prove it .* of 1\.93\. Abort/);
  t.match(textOf([slow, never], { reasons }), /^labelledLoss: no labels|^mirror coverage/);
  t.equal(
    textOf([slow, never, missing], { reasons }),
    'labelledLoss: no labels. Send labels to /v1/feedback.',
  );
});

t.test('before any request has come it waits for requests', async (t) => {
  const none = { evidence: NO_EVIDENCE };
  const open = [
    aStatus({ samples: 0, missing: 'no compared pairs' }),
    aStatus({ metric: 'labelledLoss', samples: 0, missing: 'no labels' }),
  ];
  t.match(textOf(open, none), /^no request has come .* Send requests to the model\.$/);
  t.match(textOf(open), /^pairedErrors: no compared pairs/);
  const live = [aStatus({ metric: 'errors', samples: 0, missing: 'no live requests' })];
  t.match(textOf(live, none), /^errors: no live requests/);
});

t.test('what is judged by blocks of time needs time, not samples', async (t) => {
  const slow = aStatus({ metric: 'slowRequests', samples: 30, samplesToGo: 9, msToGo: 90_000 });
  t.match(textOf([slow]), /^slowRequests needs ~90 s more of traffic\. Wait/);
});

t.test('what to send is said where nothing came, not where labels mature', async (t) => {
  const labels = (missing: string, slice?: typeof DARK) =>
    textOf([aStatus({ metric: 'labelledLoss', slice, samples: 0, missing })]);
  t.equal(labels('no labels yet: 9 pairs wait'), 'labelledLoss: no labels yet: 9 pairs wait');
  t.match(
    labels('slice empty: no labelled pair in it', DARK),
    /\. Label requests with tone=dark\.$/,
  );
});

t.test(
  'too few sampled requests to know the coverage bind only where nothing else does',
  async (t) => {
    const reasons = ['mirror coverage is not yet known: 7 of 100 sampled requests'];
    const early = { reasons, evidence: NO_EVIDENCE };
    t.match(textOf([aStatus()], early), /^pairedErrors needs ~800 more pairs/);
    t.equal(textOf([], early), reasons[0]);
    t.equal(textOf([]), 'nothing: all that was asked for is proven');
  },
);

t.test('live samples come at the pace of the present step', async (t) => {
  const errors = aStatus({ metric: 'errors', samples: 400, samplesToGo: 400 });
  const live = { evidence: evidenceOf('inconclusive', 200), sinceMs: 9 * MINUTE };
  t.match(textOf([errors], live), /^errors needs ~400 more live requests \(60 s at this rate\)/);
  t.match(textOf([errors]), /^errors needs ~400 more live requests\. Wait/);
});

t.test(
  'where users return, distinct users are needed, and it is said when no more can count',
  async (t) => {
    const bits = (levels: number) =>
      Object.fromEntries(Array.from({ length: levels }, (_, level) => [`${level}`, '']));
    const errors = (samples: number, toGo: number | undefined) =>
      aStatus({ metric: 'errors', samples, samplesToGo: toGo });
    const evidence = { ...evidenceOf('inconclusive', 200), liveUnits: bits(1) };
    t.match(
      textOf([errors(1_186, 2_769)], { evidence }),
      /^errors needs ~2,769 more distinct users \(1,186 have counted, each once\)/,
    );
    const full = { ...evidence, liveUnits: bits(4) };
    t.match(
      textOf([errors(50_000, 9)], { evidence: full }),
      /^errors needs ~9 more distinct users/,
    );
    t.match(
      textOf([errors(87_040, 9)], { evidence: full }),
      /^errors: 87,040 returning users have counted, and no more can in one rollout\. Abort, or widen/,
    );
  },
);
