import { createRequire } from 'node:module';
import t from 'tap';
import { openOtel, reporting } from '../../src/app/otel.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';
import type { RecordBody } from '../../src/core/record.ts';
import { GENESIS } from '../../src/ledger/ledger.ts';
import { MemoryLedger } from '../../src/ledger/memory.ts';

const CONFIG = { telemetry: { tritonMetrics: false } };

/** Files of the SDK that this process has loaded. */
function loaded(): readonly string[] {
  const files = Object.keys(createRequire(import.meta.url).cache);
  return files.filter((file) => /@opentelemetry\/(sdk|exporter|otlp)/.test(file));
}

function parts(otlp: Readonly<Record<string, string>>, lines: LogEntry[] = []) {
  return {
    config: CONFIG,
    otlp,
    log: (entry: LogEntry) => void lines.push(entry),
    rollouts: () => [],
    telemetry: () => ({ collect: async () => [], onExport: () => undefined }),
  };
}

t.test('the SDK is loaded only where something is to be sent', async (t) => {
  await import('../../src/app.ts');
  t.equal(await openOtel(parts({}), []), undefined);
  t.same(loaded(), []);
  const otel = await openOtel(parts({ OTEL_TRACES_EXPORTER: 'otlp' }), []);
  t.ok(otel?.traces);
  t.ok(loaded().length > 0, `${loaded().length} files`);
  await otel?.close();
});

t.test('a header that gRPC refuses is shown in no log', async (t) => {
  const name = 'OTEL_EXPORTER_OTLP_HEADERS';
  const before = process.env[name];
  t.teardown(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
  process.env[name] = 'authorization=Bearer pässword';
  const lines: LogEntry[] = [];
  const otlp = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  t.equal(await openOtel(parts(otlp, lines), []), undefined);
  t.match(lines, [{ level: 'error', message: /OTEL_EXPORTER_OTLP_HEADERS/ }]);
  t.notMatch(JSON.stringify(lines), /ssword/);
});

t.test('each record is reported once it is in the ledger, and none that is not', async (t) => {
  const seen: RecordBody[] = [];
  const ledger = new MemoryLedger(systemClock);
  t.equal(reporting(ledger, undefined), ledger, 'without OpenTelemetry it is the ledger itself');
  const reported = reporting(ledger, { onRecord: (body) => void seen.push(body) });
  const body: RecordBody = { kind: 'rolloutLoaded', rolloutId: 'm-2-1', startedMs: 1 };
  const { hash } = await reported.append(body, GENESIS);
  t.same(seen, [body]);
  await t.rejects(reported.append(body, GENESIS));
  t.same(seen, [body]);
  t.equal(reported.head(), hash);
  await reported.close();
});
