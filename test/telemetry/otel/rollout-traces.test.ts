import { tracing } from '@opentelemetry/sdk-node';
import t from 'tap';
import { HandClock } from '../../../src/core/clock.ts';
import type { LogEntry } from '../../../src/core/log.ts';
import { type RolloutLook, RolloutTraces } from '../../../src/telemetry/otel/rollout-traces.ts';

const START_MS = 1_700_000_000_000;

function aLook(parts: Partial<RolloutLook> = {}): RolloutLook {
  return {
    ...{ id: 'm-2-1', model: 'm', stable: '1', candidate: '2', why: 'it waits' },
    ...{ phase: 'progressing', step: { number: 1, kind: 'setMirror' }, startedMs: START_MS },
    endedMs: undefined,
    ...parts,
  };
}

function someTraces() {
  const clock = new HandClock(START_MS);
  const exporter = new tracing.InMemorySpanExporter();
  const provider = new tracing.BasicTracerProvider({
    spanProcessors: [new tracing.SimpleSpanProcessor(exporter)],
  });
  const lines: LogEntry[] = [];
  let rollouts: readonly RolloutLook[] = [];
  const traces = new RolloutTraces({
    tracer: provider.getTracer('test'),
    clock,
    emit: (entry) => lines.push(entry),
    rollouts: () => rollouts,
  });
  /** So much later the deciding side shows this. */
  const look = (ms: number, ...shown: RolloutLook[]) => {
    clock.advance(ms);
    rollouts = shown;
    traces.look();
  };
  return { traces, look, lines, exporter };
}

t.test(
  'a rollout is one span, with one inside for each step, and an event as each begins',
  async (t) => {
    const { look, lines, exporter } = someTraces();
    look(0);
    look(0, aLook());
    look(1_000, aLook());
    look(1_000, aLook({ step: { number: 2, kind: 'analysis' } }));
    const endedMs = START_MS + 5_000;
    look(3_500, aLook({ phase: 'rolledBack', step: undefined, endedMs, why: 'errors worse' }));
    look(1_000, aLook({ phase: 'rolledBack', step: undefined, endedMs }));
    const spans = exporter.getFinishedSpans();
    const took = spans.map(({ name, duration: [seconds] }) => `${name} ${seconds}`);
    t.same(took, ['step 1 setMirror 2', 'step 2 analysis 3', 'rollout m 5']);
    const root = spans[2]?.spanContext();
    t.ok(spans.slice(0, 2).every((span) => span.parentSpanContext?.spanId === root?.spanId));
    t.match(spans[2]?.attributes, {
      'understudy.rollout.phase': 'rolledBack',
      'understudy.rollout.why': 'errors worse',
    });
    t.same(
      lines.map(({ level, message }) => `${level} ${message}`),
      [
        'info rollout m-2-1: step 1 setMirror',
        'info rollout m-2-1: step 2 analysis',
        'warn rollout m-2-1: rolledBack',
      ],
    );
    t.match(lines[0]?.facts, { traceId: root?.traceId, rolloutId: 'm-2-1', step: 1 });
  },
);

t.test('what was over before is not traced, and what outlives the process says so', async (t) => {
  const { traces, look, lines, exporter } = someTraces();
  const over = aLook({ id: 'm-2-0', phase: 'promoted', step: undefined, endedMs: START_MS - 1 });
  look(60_000, over, aLook());
  look(1_000, over, aLook({ phase: 'paused' }));
  traces.close();
  const spans = exporter.getFinishedSpans();
  t.same(
    spans.map(({ name }) => name),
    ['step 1 setMirror', 'paused in step 1 setMirror', 'rollout m'],
  );
  t.match(spans[2]?.attributes, { 'understudy.rollout.interrupted': true });
  t.equal(spans[2]?.duration[0], 1, 'it begins where this process does');
  t.equal(lines.length, 2);
});
