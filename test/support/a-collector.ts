import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { projectRoot } from './project-root.ts';

type Teardown = { readonly teardown: (work: () => unknown) => void };

export type SeenSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 1 internal, 2 server. */
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 0 unset, 2 error. */
  readonly status: number;
};

export type SeenMetric = {
  readonly name: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  readonly points: readonly Readonly<Record<string, unknown>>[];
};

export type SeenLog = {
  readonly body: unknown;
  readonly severity: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly traceId: string;
};

const root = protobuf.loadSync(join(projectRoot, 'test/support/otlp.proto'));

type Loose = Readonly<Record<string, unknown>>;

const SIGNALS = {
  traces: { message: 'TraceRequest', service: 'trace.v1.TraceService' },
  metrics: { message: 'MetricsRequest', service: 'metrics.v1.MetricsService' },
  logs: { message: 'LogsRequest', service: 'logs.v1.LogsService' },
} as const;
type Signal = keyof typeof SIGNALS;

/** What a collector has been sent, by either protocol. */
export class Collected {
  readonly spans: SeenSpan[] = [];
  readonly metrics: SeenMetric[] = [];
  readonly logs: SeenLog[] = [];
  readonly resources: Loose[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  /** Exports that came, understood or not. */
  exports = 0;

  take(signal: Signal, bytes: Uint8Array): void {
    const type = root.lookupType(`otlp.${SIGNALS[signal].message}`);
    const message = type.toObject(type.decode(bytes), {
      longs: Number,
      arrays: true,
      defaults: true,
    });
    const at = { traces: 'Spans', metrics: 'Metrics', logs: 'Logs' }[signal];
    for (const each of list(message, `resource${at}`)) {
      this.resources.push(attributesOf(record(each['resource'])));
      for (const scope of list(each, `scope${at}`)) {
        if (signal === 'traces') this.spans.push(...list(scope, 'spans').map(spanOf));
        if (signal === 'metrics') this.metrics.push(...list(scope, 'metrics').map(metricOf));
        if (signal === 'logs') this.logs.push(...list(scope, 'logRecords').map(logOf));
      }
    }
  }
}

/** A collector for http/protobuf. `answer` replies to an export, by default with 200. */
export async function anHttpCollector(
  t: Teardown,
  answer: (reply: ServerResponse) => void = (reply) => reply.writeHead(200).end(),
): Promise<{ readonly endpoint: string; readonly collected: Collected }> {
  const collected = new Collected();
  const server = createServer((request, reply) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      collected.exports += 1;
      collected.headers.push(request.headers);
      const signal = request.url?.replace('/v1/', '');
      if (signal !== undefined && signal in SIGNALS) {
        collected.take(signal as Signal, Buffer.concat(pieces));
      }
      answer(reply);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, collected };
}

/** A collector for gRPC. */
export async function aGrpcCollector(
  t: Teardown,
): Promise<{ readonly endpoint: string; readonly collected: Collected }> {
  const collected = new Collected();
  const server = new Server();
  for (const [signal, { service }] of Object.entries(SIGNALS)) {
    const method = {
      path: `/opentelemetry.proto.collector.${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    server.addService(
      { Export: method },
      {
        Export: (
          call: { readonly request: Buffer },
          callback: (error: null, reply: Buffer) => void,
        ) => {
          collected.exports += 1;
          collected.take(signal as Signal, call.request);
          callback(null, Buffer.alloc(0));
        },
      },
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.teardown(() => server.forceShutdown());
  return { endpoint: `http://127.0.0.1:${port}`, collected };
}

function record(value: unknown): Loose {
  return (value ?? {}) as Loose;
}

function list(of: Loose, name: string): readonly Loose[] {
  return (of[name] ?? []) as readonly Loose[];
}

function hex(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString('hex');
}

function attributesOf(of: Loose): Record<string, unknown> {
  return Object.fromEntries(
    list(of, 'attributes').map(({ key, value }) => [key, plainValue(record(value))]),
  );
}

function plainValue(value: Loose): unknown {
  const array = value['arrayValue'];
  if (array !== undefined && array !== null) return list(record(array), 'values').map(plainValue);
  const [found] = ['stringValue', 'boolValue', 'intValue', 'doubleValue']
    .map((name) => value[name])
    .filter((each) => each !== undefined);
  return found;
}

function spanOf(span: Loose): SeenSpan {
  return {
    traceId: hex(span['traceId']),
    spanId: hex(span['spanId']),
    parentSpanId: hex(span['parentSpanId']),
    traceState: String(span['traceState']),
    name: String(span['name']),
    kind: Number(span['kind']),
    startMs: Number(span['startTimeUnixNano']) / 1e6,
    endMs: Number(span['endTimeUnixNano']) / 1e6,
    attributes: attributesOf(span),
    events: list(span, 'events').map(({ name }) => ({ name: String(name) })),
    links: list(span, 'links').map((link) => ({
      traceId: hex(link['traceId']),
      spanId: hex(link['spanId']),
    })),
    status: Number(record(span['status'])['code'] ?? 0),
  };
}

function metricOf(metric: Loose): SeenMetric {
  const kind = (['sum', 'histogram', 'gauge'] as const).find((each) => metric[each]) ?? 'gauge';
  const points = list(record(metric[kind]), 'dataPoints').map((point) => ({
    ...point,
    attributes: attributesOf(point),
  }));
  return { name: String(metric['name']), kind, points };
}

function logOf(entry: Loose): SeenLog {
  return {
    body: plainValue(record(entry['body'])),
    severity: String(entry['severityText']),
    attributes: attributesOf(entry),
    traceId: hex(entry['traceId']),
  };
}
