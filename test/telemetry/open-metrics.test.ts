import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Registry } from 'prom-client';
import t from 'tap';
import { openMetricsText, takesOpenMetrics } from '../../src/telemetry/open-metrics.ts';
import { addTritonMetrics } from '../../src/telemetry/triton-metrics.ts';
import { projectRoot } from '../support/project-root.ts';

t.test('a scraper gets OpenMetrics where it asks for it', async (t) => {
  t.ok(takesOpenMetrics('application/openmetrics-text;version=1.0.0,text/plain;q=0.5'));
  t.notOk(takesOpenMetrics('text/plain'));
  t.notOk(takesOpenMetrics(undefined));
});

t.test('families, samples and exemplars are written as OpenMetrics has them', async (t) => {
  const labels = { model: 'a"b\\c\nd' };
  const exemplar = { labelSet: { trace_id: 'f0' }, value: 0.5, timestamp: 12.5 };
  const text = openMetricsText([
    { name: 'x_total', help: 'Two\nlines', type: 'counter', values: [{ value: 3, labels }] },
    { name: 'nv_x', help: 'Foreign', type: 'counter', values: [{ value: 1, labels: {} }] },
    {
      name: 'h',
      help: 'Times',
      type: 'histogram',
      values: [
        { metricName: 'h_bucket', labels: { le: 1 }, value: 1, exemplar },
        { metricName: 'h_bucket', labels: { le: '+Inf' }, value: 1, exemplar: null },
        { metricName: 'h_count', labels: {}, value: 1 },
        { metricName: 'h_sum', labels: {}, value: Number.POSITIVE_INFINITY },
      ],
    },
  ]);
  t.equal(
    text,
    String.raw`# HELP x Two\nlines
# TYPE x counter
x_total{model="a\"b\\c\nd"} 3
# HELP nv_x Foreign
# TYPE nv_x unknown
nv_x 1
# HELP h Times
# TYPE h histogram
h_bucket{le="1"} 1 # {trace_id="f0"} 0.5 12.5
h_bucket{le="+Inf"} 1
h_count 1
h_sum +Inf
# EOF
`,
  );
});

t.test("Triton's names are counted from the protocol's statistics, and documented", async (t) => {
  const registry = new Registry();
  const none = { count: 0, ms: 0 };
  addTritonMetrics(registry, () => [
    {
      ...{ model: 'm', version: '1', inferences: 8, executions: 2 },
      ...{ success: { count: 4, ms: 12.5 }, failure: none, queue: none, compute: none },
    },
  ]);
  const text = await registry.metrics();
  t.match(text, /^nv_inference_count\{model="m",version="1"\} 8$/m);
  t.match(text, /^nv_inference_request_duration_us\{model="m",version="1"\} 12500$/m);
  t.equal(await registry.metrics(), text, 'a second scrape adds nothing');
  const page = readFileSync(path.join(projectRoot, 'docs/reference/metrics.md'), 'utf8');
  const named = [...page.matchAll(/^\| `(nv_\w+)` \|/gm)].map(([, name]) => name);
  t.same(
    named,
    [...text.matchAll(/^# TYPE (nv_\w+) counter$/gm)].map(([, name]) => name),
  );
});
