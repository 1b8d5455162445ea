import t from 'tap';
import { readEnvironment } from '../../src/config/environment.ts';
import { otlpSettings } from '../../src/config/otlp.ts';
import { configSchema } from '../../src/config/schema.ts';

/** The section `telemetry.otlp` as it is after reading. */
function aSection(otlp: object) {
  return configSchema.parse({ apiVersion: 'understudy/v1', telemetry: { otlp } }).telemetry.otlp;
}

const COLLECTOR = { endpoint: 'http://collector:4318' };

t.test('nothing is sent unless a variable or the file asks for it', async (t) => {
  t.equal(otlpSettings(undefined, {}), undefined);
  t.equal(otlpSettings(undefined, { OTEL_SERVICE_NAME: 'mine' }), undefined);
  t.equal(otlpSettings(aSection(COLLECTOR), { OTEL_SDK_DISABLED: 'true' }), undefined);
  t.equal(
    otlpSettings(aSection(COLLECTOR), {
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    }),
    undefined,
  );
});

t.test(
  'the common endpoint gets a path for each signal over HTTP, and none over gRPC',
  async (t) => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://c:1/';
    t.same(otlpSettings(undefined, { OTEL_EXPORTER_OTLP_ENDPOINT })?.targets, {
      traces: { protocol: 'http/protobuf', url: 'http://c:1/v1/traces' },
      metrics: { protocol: 'http/protobuf', url: 'http://c:1/v1/metrics' },
      logs: { protocol: 'http/protobuf', url: 'http://c:1/v1/logs' },
    });
    const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    t.match(otlpSettings(undefined, grpc)?.targets, {
      traces: { protocol: 'grpc', url: 'http://c:1/' },
      logs: { protocol: 'grpc', url: 'http://c:1/' },
    });
  },
);

t.test("a signal's own endpoint is used as it is, and alone switches on that signal", async (t) => {
  const variables = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:1/mine' };
  t.same(otlpSettings(undefined, variables)?.targets, {
    traces: { protocol: 'http/protobuf', url: 'http://c:1/mine' },
  });
});

t.test('an exporter that is asked for has the standard endpoint', async (t) => {
  t.same(otlpSettings(undefined, { OTEL_TRACES_EXPORTER: 'otlp' })?.targets, {
    traces: { protocol: 'http/protobuf', url: 'http://localhost:4318/v1/traces' },
  });
  const grpc = { OTEL_LOGS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'grpc' };
  t.same(otlpSettings(undefined, grpc)?.targets, {
    logs: { protocol: 'grpc', url: 'http://localhost:4317' },
  });
});

t.test('the file switches signals on, and a variable wins over its key', async (t) => {
  const section = aSection({
    ...COLLECTOR,
    signals: ['traces'],
    sampler: 'traceidratio',
    samplerArg: 0.5,
  });
  t.match(otlpSettings(section), {
    targets: { traces: { url: 'http://collector:4318/v1/traces' } },
    sampler: 'traceidratio',
    samplerArg: 0.5,
    metricIntervalMs: 60_000,
  });
  const found = otlpSettings(section, {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://other:1',
    OTEL_TRACES_SAMPLER_ARG: '0.01',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
    OTEL_SERVICE_NAME: 'mine',
    OTEL_RESOURCE_ATTRIBUTES: 'a=1, b=x%20y',
  });
  t.match(found, {
    targets: {
      traces: { url: 'http://other:1/v1/traces' },
      logs: { url: 'http://other:1/v1/logs' },
    },
    samplerArg: 0.01,
    metricIntervalMs: 5_000,
    serviceName: 'mine',
    resourceAttributes: { a: '1', b: 'x y' },
    problems: [],
  });
});

t.test(
  'a variable that is not understood is ignored with a line that shows no password',
  async (t) => {
    const found = otlpSettings(aSection(COLLECTOR), {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'user:s3cret@collector',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_METRIC_EXPORT_INTERVAL: 'often',
      OTEL_RESOURCE_ATTRIBUTES: 'nonsense',
    });
    t.match(found?.targets, { traces: { protocol: 'http/protobuf', url: /collector:4318/ } });
    t.match(found, { sampler: 'parentbased_always_on', metricIntervalMs: 60_000 });
    t.same(
      found?.problems.map((line) => line.split(':')[0]),
      [
        'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
        'OTEL_EXPORTER_OTLP_PROTOCOL',
        'OTEL_TRACES_SAMPLER',
        'OTEL_METRIC_EXPORT_INTERVAL',
        'OTEL_RESOURCE_ATTRIBUTES',
      ],
    );
    t.notMatch(found?.problems.join(), /s3cret/);
  },
);

t.test('a password in the endpoint of the file is refused', async (t) => {
  t.throws(
    () => aSection({ endpoint: 'http://user:s3cret@collector:4318' }),
    /OTEL_EXPORTER_OTLP_HEADERS/,
  );
  t.throws(() => aSection({ endpoint: 'collector:4318' }), /expected a URL/);
});

t.test('of the environment only what counts is kept, and nothing secret', async (t) => {
  const { otlp } = readEnvironment({
    OTEL_EXPORTER_OTLP_ENDPOINT: ' http://c:1 ',
    OTEL_SERVICE_NAME: '',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=s3cret',
  });
  t.strictSame(otlp, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1' });
});
