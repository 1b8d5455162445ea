import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';

import { HandClock } from '../../src/core/clock.ts';
import type { InferRequest } from '../../src/core/infer.ts';
import type { Assignment } from '../../src/core/route.ts';
import type { MetricStatus } from '../../src/core/verdict.ts';
import { reportMirror } from '../../src/telemetry/report-mirror.ts';
import type { RolloutView } from '../../src/telemetry/rollout-metrics.ts';
import { createTelemetry, type TelemetryOptions } from '../../src/telemetry/telemetry.ts';
import { projectRoot } from '../support/project-root.ts';

const NO_LABELS_YET = { labels: { joined: 3, unmatched: 1 }, labelling: undefined };

const TARGET = { model: 'm', version: '2' };

function aTelemetry(parts: Partial<TelemetryOptions> = {}) {
  const clock = new HandClock();
  return createTelemetry({
    version: '0.0.0',
    clock,
    inFlight: () => 0,
    heldBytes: () => ({ requests: 7, mirror: 5 }),
    rollouts: () => [],
    ledger: () => ({ kind: 'healthy', unrecorded: 0, records: 0, bytes: 0 }),
    ...parts,
  });
}

const REQUEST: InferRequest = {
  id: 'r-1',
  model: 'm',
  version: undefined,
  unit: 'u',
  traceparent: undefined,
  caller: undefined,
  attributes: {},
  priority: 0,
  inputs: [],
  outputs: undefined,
  deadlineMs: 0,
};

const TO_CANDIDATE: Assignment = {
  version: '2',
  arm: 'candidate',
  by: 'split',
  routeRevision: 1,
  exposure: undefined,
  side: undefined,
};

function aMetric(parts: Partial<MetricStatus>): MetricStatus {
  return {
    metric: 'errors',
    slice: undefined,
    finding: 'undecided',
    role: 'gate',
    logHarm: 0,
    logHarmNeeded: 1,
    logSafe: 0,
    logSafeNeeded: 1,
    samples: 0,
    candidateEvents: 0,
    referenceEvents: 0,
    estimate: undefined,
    margin: '',
    samplesToGo: undefined,
    missing: undefined,
    ...parts,
  };
}

async function pageOf(telemetry: ReturnType<typeof aTelemetry>): Promise<string> {
  return (await telemetry.page(undefined)).text;
}

/** Lines of the page that are samples of this metric. */
async function samplesOf(telemetry: ReturnType<typeof aTelemetry>, name: string) {
  const page = await pageOf(telemetry);
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

t.test('every metric is documented with its kind and labels, and no other', async (t) => {
  const page = readFileSync(path.join(projectRoot, 'docs/reference/metrics.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `(understudy_\w+)` \| (\w+) \|/gm)];
  const rendered = await pageOf(aTelemetry());
  const real = [...rendered.matchAll(/^# TYPE (understudy_\w+) (\w+)$/gm)];
  const names = (rows: readonly RegExpMatchArray[]) =>
    rows.map(([, name, kind]) => `${name} ${kind}`).sort();
  t.ok(real.length > 15, `only ${real.length} metrics`);
  t.strictSame(names(documented), names(real));
});

t.test('a reload of the configuration that fails shows until one succeeds', async (t) => {
  const clock = new HandClock();
  const telemetry = aTelemetry({ clock });
  const last = 'understudy_config_last_reload';
  const shown = async () => [
    ...(await samplesOf(telemetry, `${last}_successful`)),
    ...(await samplesOf(telemetry, `${last}_success_timestamp_seconds`)),
  ];
  const startedSeconds = clock.wallMs() / 1_000;
  const expected = (isSuccess: number, seconds: number) => [
    `${last}_successful ${isSuccess}`,
    `${last}_success_timestamp_seconds ${seconds}`,
  ];
  t.same(await shown(), expected(1, startedSeconds), 'as of the start');
  clock.advance(2_500);
  telemetry.onConfigReload(false);
  t.same(await shown(), expected(0, startedSeconds));
  telemetry.onConfigReload(true);
  t.same(await shown(), expected(1, startedSeconds + 2.5));
});

t.test('requests count by version, role and outcome, answers by the three clocks', async (t) => {
  const telemetry = aTelemetry({ inFlight: () => 3 });
  const timing = { queueMs: 1, computeMs: 20 };
  const response = { ...TARGET, outputs: [], timing, batch: { id: 1, rows: 1 } };
  const times = { startedMs: 0, endedMs: 30 };
  telemetry.tap(REQUEST, TO_CANDIDATE)?.({ kind: 'answer', response, ...times });
  telemetry.tap(
    REQUEST,
    TO_CANDIDATE,
  )?.({ kind: 'failure', code: 'host_lost', message: '', ...times });
  const labels = 'model="m",version="2",role="candidate"';
  t.strictSame(await samplesOf(telemetry, 'understudy_requests_total'), [
    `understudy_requests_total{${labels},outcome="host_lost"} 1`,
    `understudy_requests_total{${labels},outcome="ok"} 1`,
  ]);
  for (const [clock, seconds] of [
    ['queue_duration', 0.001],
    ['compute_duration', 0.02],
    ['duration', 0.03],
  ] as const) {
    const name = `understudy_request_${clock}_seconds_sum`;
    t.strictSame(await samplesOf(telemetry, name), [`${name}{${labels}} ${seconds}`]);
  }
  t.strictSame(await samplesOf(telemetry, 'understudy_requests_in_flight'), [
    'understudy_requests_in_flight 3',
  ]);
});

t.test('an observation on an edge counts below it, and buckets add up', async (t) => {
  const telemetry = aTelemetry();
  const host = telemetry.hostListeners('stable');
  for (const rows of [1, 2, 3, 1_000]) host.onBatch(TARGET, { rows, requests: 1, computeMs: 1 });
  const name = 'understudy_batch_rows';
  const buckets = await samplesOf(telemetry, `${name}_bucket`);
  const counts = buckets.map((line) => line.replace(/.*[{,]le="([^"]+)".* (\d+)$/, '$1:$2'));
  t.strictSame(counts, [
    '1:1',
    '2:2',
    '4:3',
    '8:3',
    '16:3',
    '32:3',
    '64:3',
    '128:3',
    '256:3',
    '+Inf:4',
  ]);
  t.match(await samplesOf(telemetry, `${name}_count`), [/ 4$/]);
  t.match(await samplesOf(telemetry, `${name}_sum`), [/ 1006$/]);
});

t.test('a model that does not exist has no name', async (t) => {
  const telemetry = aTelemetry();
  telemetry.onRefused(undefined, 'model_not_found');
  telemetry.onRefused('m', 'invalid_input');
  t.strictSame(await samplesOf(telemetry, 'understudy_refused_requests_total'), [
    'understudy_refused_requests_total{model="",code="model_not_found"} 1',
    'understudy_refused_requests_total{model="m",code="invalid_input"} 1',
  ]);
});

t.test('hosts report batches, states and process exits', async (t) => {
  const telemetry = aTelemetry();
  const host = telemetry.hostListeners('shadow');
  host.onBatch(TARGET, { rows: 8, requests: 3, computeMs: 4 });
  host.onState(TARGET, { kind: 'ready' });
  host.onState(TARGET, { kind: 'failed', reason: 'no memory' });
  host.onCrash(TARGET, { inFlight: 5 });
  host.onCrashLoop(TARGET, 'three times in a minute');
  const labels = 'model="m",version="2",role="shadow"';
  const page = await pageOf(telemetry);
  t.match(page, `understudy_batch_rows_sum{${labels}} 8`);
  t.match(page, `understudy_batch_requests_sum{${labels}} 3`);
  t.match(page, `understudy_batch_compute_duration_seconds_sum{${labels}} 0.004`);
  t.match(page, `understudy_host_state{${labels},state="ready"} 0`);
  t.match(page, `understudy_host_state{${labels},state="failed"} 1`);
  t.match(page, `understudy_host_crashes_total{${labels}} 1`);
  t.match(page, `understudy_host_lost_requests_total{${labels}} 5`);
  t.match(page, `understudy_host_crash_loops_total{${labels}} 1`);
});

t.test('mirror results add up to the eligible requests', async (t) => {
  const telemetry = aTelemetry();
  for (const kind of ['notSampled', 'timedOut', 'failed', 'compared', 'compared'] as const) {
    telemetry.onMirror({ kind }, TARGET);
  }
  telemetry.onMirror({ kind: 'dropped', reason: 'queueFull' }, TARGET);
  const results = await samplesOf(telemetry, 'understudy_mirror_requests_total');
  t.ok(
    results.includes(
      'understudy_mirror_requests_total{model="m",version="2",result="dropped",reason="queueFull"} 1',
    ),
  );
  t.equal(
    results.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0),
    6,
  );
  t.match(await pageOf(telemetry), 'understudy_mirror_eligible_total{model="m",version="2"} 6');
  t.match(await pageOf(telemetry), 'understudy_held_bytes{by="mirror"} 5');
});

t.test("a rollout's mirror is up, down or not known, and its fall is logged", async (t) => {
  const why = 'the mirror has carried nothing for 60 s';
  const healths: readonly RolloutView['mirrorHealth'][] = [
    { state: 'working', arrivedMs: 1, why: undefined },
    { state: 'failing', arrivedMs: 1, why },
    { state: 'unknown', arrivedMs: undefined, why: undefined },
    undefined,
  ];
  const rollouts = healths.map((mirrorHealth, at) => ({
    ...({ model: `m${at}`, candidate: '2', phase: 'progressing', step: undefined } as const),
    ...{
      setWeightBp: 0,
      metrics: [],
      reported: [],
      mirrorHealth,
      anchor: undefined,
      verdict: undefined,
      ...NO_LABELS_YET,
    },
  }));
  const page = await pageOf(aTelemetry({ rollouts: () => rollouts }));
  t.same(page.match(/^understudy_rollout_mirror_up\{.*$/gm), [
    'understudy_rollout_mirror_up{model="m0",candidate="2"} 1',
    'understudy_rollout_mirror_up{model="m1",candidate="2"} 0',
  ]);
  const lines: string[] = [];
  const report = reportMirror(({ level, message }) => void lines.push(`${level}: ${message}`));
  report('m', { state: 'failing', arrivedMs: 1, why });
  report('m', { state: 'working', arrivedMs: 2, why: undefined });
  t.same(lines, [`error: ${why}`, 'info: the mirror works again']);
});

t.test("each model's newest rollout shows its phase, share and findings", async (t) => {
  const old: RolloutView = {
    model: 'm',
    candidate: '2',
    phase: 'rolledBack',
    step: undefined,
    setWeightBp: 0,
    verdict: 'fail',
    ...NO_LABELS_YET,
    metrics: [],
    reported: [],
    anchor: {
      ...{ version: '1', sinceMs: 0, by: 'first', why: 'stable at the first rollout' },
      ...{ spent: { loss: 0.009, unmeasured: 0 }, allowed: 0.02 },
    },
    mirrorHealth: undefined,
  };
  const metrics = [
    {
      ...aMetric({ finding: 'nonInferior', samples: 40 }),
      limit: 2.5,
      proven: { margin: { ratio: 1.5, absolute: 0.001 }, ofMargin: 0.75 },
    },
    aMetric({ metric: 'labelledLoss', slice: { tone: 'dark' }, finding: 'worse' }),
  ];
  const present: RolloutView = {
    ...old,
    candidate: '3',
    phase: 'progressing',
    step: { number: 3 },
    setWeightBp: 500,
    ...NO_LABELS_YET,
    metrics,
  };
  const views = [old, present];
  const telemetry = aTelemetry({ rollouts: () => views });
  const page = await pageOf(telemetry);
  t.match(page, 'understudy_rollout_phase{model="m",candidate="3",phase="progressing"} 1');
  t.match(page, 'understudy_rollout_phase{model="m",candidate="3",phase="promoted"} 0');
  t.notMatch(page, 'candidate="2"');
  t.match(page, 'understudy_rollout_step{model="m",candidate="3"} 3');
  t.match(page, 'understudy_rollout_weight_ratio{model="m",candidate="3"} 0.05');
  t.match(
    page,
    'understudy_rollout_metric_status{model="m",candidate="3",metric="errors",slice=""} 1',
  );
  t.match(page, 'metric="labelledLoss",slice="tone=dark"} -1');
  t.match(
    page,
    'understudy_rollout_metric_samples{model="m",candidate="3",metric="errors",slice=""} 40',
  );
  const errors = 'model="m",candidate="3",metric="errors",slice=""';
  t.match(page, `understudy_rollout_metric_limit{${errors}} 2.5`);
  t.match(page, `understudy_rollout_metric_proven_margin_ratio{${errors}} 0.75`);
  t.match(page, 'understudy_rollout_anchor_loss_spent{model="m",anchor="1"} 0.009');
  t.notMatch(page, 'understudy_rollout_metric_effect{', 'no sample where there is no effect');
  views.push({ ...present, phase: 'promoted', step: undefined });
  t.match(await pageOf(telemetry), 'phase="progressing"} 0');
});

t.test('a slice that is only reported has samples and an effect, and no finding', async (t) => {
  const interval = { estimate: 0.01, lower: -0.02, upper: 0.04, limit: 0.02, confidence: 0.95 };
  const slice = { region: 'eu' };
  const view: RolloutView = {
    ...({ model: 'm', candidate: '2', phase: 'progressing', step: undefined } as const),
    ...{ setWeightBp: 0, metrics: [], mirrorHealth: undefined, anchor: undefined },
    verdict: 'inconclusive',
    ...NO_LABELS_YET,
    reported: [
      {
        ...{ metric: 'labelledLoss', slice, label: 'labelledLoss{region=eu}' },
        ...{ samples: 40, candidateEvents: 2, referenceEvents: 1, estimate: 0.01 },
        effect: { unit: 'meanDifference', ...interval },
      },
    ],
  };
  const page = await pageOf(aTelemetry({ rollouts: () => [view] }));
  const labels = 'model="m",candidate="2",metric="labelledLoss",slice="region=eu"';
  t.match(page, `understudy_rollout_metric_samples{${labels}} 40`);
  t.match(page, `understudy_rollout_metric_estimate{${labels}} 0.01`);
  t.match(page, `understudy_rollout_metric_effect_upper{${labels}} 0.04`);
  t.notMatch(page, `understudy_rollout_metric_status{${labels}}`);
  t.notMatch(page, `understudy_rollout_metric_limit{${labels}}`);
});

t.test('unexpected internal errors are counted by operation', async (t) => {
  const telemetry = aTelemetry();
  telemetry.onInternalError('tap');
  t.match(await pageOf(telemetry), 'understudy_internal_errors_total{operation="tap"} 1');
});

t.test('the recent request rate of a model is known within seconds', async (t) => {
  const clock = new HandClock();
  const { tap, requestsPerSecond } = aTelemetry({ clock });
  const send = (seconds: number, rate: number): void => {
    for (let sent = 0; sent < seconds * rate; sent += 1) {
      clock.advance(1000 / rate);
      tap(REQUEST, TO_CANDIDATE);
    }
  };
  send(1, 10);
  t.equal(requestsPerSecond('m'), undefined, 'too few to say');
  send(4, 10);
  t.ok(Math.abs((requestsPerSecond('m') ?? 0) - 10) < 0.5);
  send(600, 40);
  t.ok(Math.abs((requestsPerSecond('m') ?? 0) - 40) < 1);
  clock.advance(600_000);
  t.ok((requestsPerSecond('m') ?? 1) < 0.01);
  t.equal(requestsPerSecond('other'), undefined);
});

t.test('failed requests of both arms are counted by kind', async (t) => {
  const telemetry = aTelemetry();
  telemetry.onFailure(TARGET, { arm: 'candidate', kind: 'nonFinite' });
  telemetry.onFailure(TARGET, { arm: 'candidate', kind: 'nonFinite' });
  telemetry.onFailure({ model: 'm', version: '1' }, { arm: 'reference', kind: 'timeout' });
  t.strictSame(await samplesOf(telemetry, 'understudy_rollout_failures_total'), [
    'understudy_rollout_failures_total{model="m",version="2",arm="candidate",kind="nonFinite"} 2',
    'understudy_rollout_failures_total{model="m",version="1",arm="reference",kind="timeout"} 1',
  ]);
});

t.test('an answer whose trace is recorded is the exemplar of its bucket', async (t) => {
  const telemetry = aTelemetry();
  const timing = { queueMs: 1, computeMs: 20 };
  const response = { ...TARGET, outputs: [], timing, batch: { id: 1, rows: 1 } };
  const answer = { kind: 'answer', response, startedMs: 0, endedMs: 30 } as const;
  const span = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0';
  telemetry.tap({ ...REQUEST, traceparent: `${span}0` }, TO_CANDIDATE)?.(answer);
  const open = async () => (await telemetry.page('application/openmetrics-text')).text;
  t.notMatch(await open(), /trace_id/);
  telemetry.tap({ ...REQUEST, traceparent: `${span}1` }, TO_CANDIDATE)?.(answer);
  const lines = (await open()).split('\n').filter((line) => line.includes('trace_id'));
  t.equal(lines.length, 1);
  t.match(
    lines[0],
    /^understudy_request_duration_seconds_bucket\{le="0.05",.*\} 2 # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736",span_id="00f067aa0ba902b7"\} 0.03 \d+/,
  );
  t.notMatch(await pageOf(telemetry), /trace_id/, "Prometheus' own format has none");
});
