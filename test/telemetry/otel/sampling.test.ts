import { ROOT_CONTEXT } from '@opentelemetry/api';
import { tracing } from '@opentelemetry/sdk-node';
import t from 'tap';
import { SAMPLERS } from '../../../src/core/otlp.ts';
import { seededRandom } from '../../../src/core/random.ts';
import { samplerOf } from '../../../src/telemetry/otel/sampling.ts';

const SAMPLED = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const NOT_SAMPLED = SAMPLED.replace(/01$/, '00');

t.test('each sampler decides by the caller, by share, or for all', async (t) => {
  const decisions = SAMPLERS.map((name) => {
    const sampler = samplerOf(name, 0, seededRandom(1));
    return [name, sampler(undefined), sampler(SAMPLED), sampler(NOT_SAMPLED)];
  });
  t.same(decisions, [
    ['always_on', true, true, true],
    ['always_off', false, false, false],
    ['traceidratio', false, false, false],
    ['parentbased_always_on', true, true, false],
    ['parentbased_always_off', false, true, false],
    ['parentbased_traceidratio', false, true, false],
  ]);
});

t.test('of requests without a caller a share is traced', async (t) => {
  const sampler = samplerOf('parentbased_traceidratio', 0.1, seededRandom(7));
  const found = Array.from({ length: 10_000 }, () => sampler(undefined)).filter(Boolean).length;
  t.ok(Math.abs(found - 1_000) < 150, `${found} of 10,000`);
});

t.test("the share of a trace's id is the SDK's own, so that services agree", async (t) => {
  const random = seededRandom(3);
  const ours = samplerOf('traceidratio', 0.3, random);
  const theirs = new tracing.TraceIdRatioBasedSampler(0.3);
  for (let at = 0; at < 200; at += 1) {
    const id = Array.from({ length: 32 }, () => random.integer(16).toString(16)).join('');
    const { decision } = theirs.shouldSample(ROOT_CONTEXT, id);
    const isSampled = decision === tracing.SamplingDecision.RECORD_AND_SAMPLED;
    t.equal(ours(`00-${id}-00f067aa0ba902b7-00`), isSampled, id);
  }
});
