import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inferAim, oneRow } from './aim.ts';
import { interleave, type Rounds, ratioSpread, spreadOf } from './blocks.ts';
import type { Effort } from './effort.ts';
import type { Figure, Measurement, Suite } from './figure.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { INPUT, tinyModel } from './models.ts';
import type { Workplace } from './workplace.ts';

const COLUMNS = 16;
const IN_FLIGHT = 32;
const MODEL = 'tiny';
const NS_PER_US = 1_000;

/** What traces cost: processor time of the gateway's own process per request, of a model that costs nothing. */
export const tracing: Suite = {
  name: 'tracing',
  title: 'Processor time of a request in the gateway, with traces of none, 1 % and all requests',
  effort: { rounds: 21, blockMs: 1_000, warmupMs: 200 },
  run: measureTracing,
};

const KINDS = ['off', 'onePercent', 'all', 'offAgain'] as const;
type Kind = (typeof KINDS)[number];

/** The share of requests that is traced; undefined: nothing of OpenTelemetry is loaded. */
const SHARES: Readonly<Record<Kind, number | undefined>> = {
  off: undefined,
  onePercent: 0.01,
  all: 1,
  offAgain: undefined,
};

async function measureTracing(workplace: Workplace, effort: Effort): Promise<Measurement> {
  const { loader, print } = workplace;
  await workplace.addModel(MODEL, tinyModel(COLUMNS));
  const endpoint = await startCollector(workplace);
  const gateways = {} as Record<Kind, GatewayProcess>;
  for (const kind of KINDS) {
    const share = SHARES[kind];
    const otlp = { endpoint, signals: ['traces'], sampler: SAMPLER, samplerArg: share };
    gateways[kind] = await workplace.startGateway({
      models: { [MODEL]: {} },
      ...(share !== undefined && { telemetry: { otlp } }),
    });
    await warmUp(gateways[kind]);
  }
  const microseconds = await interleave(KINDS, effort.rounds, async (kind, round) => {
    const gateway = gateways[kind];
    const { port } = gateway;
    const aim = inferAim({ port, protocol: 'rest-binary', model: MODEL }, [oneRow(INPUT, COLUMNS)]);
    const before = await spentBy(gateway);
    await loader.closedRate(aim, { effort, inFlight: IN_FLIGHT });
    const after = await spentBy(gateway);
    const found = (after.ns - before.ns) / NS_PER_US / (after.requests - before.requests);
    print(`round ${round + 1} ${kind}: ${found.toFixed(1)} µs of processor time a request`);
    return found;
  });
  return { conditions: { requestsInFlight: IN_FLIGHT }, figures: figuresOf(microseconds) };
}

/** A caller's own decision goes first, so that every request of the warm-up is traced where traces are on. */
const SAMPLER = 'parentbased_traceidratio';
const TRACED = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
/** Until then the compiler takes what 1 % of requests run for rare. In a gateway that serves, minutes see to that. */
const WARMUP_REQUESTS = 12_000;

async function warmUp({ port }: GatewayProcess): Promise<void> {
  const input = {
    name: INPUT,
    datatype: 'FP32',
    shape: [1, COLUMNS],
    data: Array(COLUMNS).fill(0),
  };
  const body = JSON.stringify({ inputs: [input] });
  const url = `http://127.0.0.1:${port}/v2/models/${MODEL}/infer`;
  for (let sent = 0; sent < WARMUP_REQUESTS; sent += IN_FLIGHT) {
    const asked = Array.from({ length: IN_FLIGHT }, async () => {
      const answer = await fetch(url, { method: 'POST', headers: TRACED, body });
      await answer.arrayBuffer();
    });
    await Promise.all(asked);
  }
}

/** Takes everything and keeps nothing. */
async function startCollector(workplace: Workplace): Promise<string> {
  const server = createServer((request, reply) => {
    request.resume().on('end', () => reply.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  workplace.closing({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Processor time of all threads of the gateway's own process so far, and the requests that it has answered. */
async function spentBy(gateway: GatewayProcess): Promise<{ ns: number; requests: number }> {
  const page = String(await gateway.admin('GET', '/metrics'));
  const [, requests] = /^understudy_requests_total\{.*outcome="ok"\} (\d+)$/m.exec(page) ?? [];
  const folder = `/proc/${gateway.pid}/task`;
  const threads = await readdir(folder);
  const times = threads.map(async (thread) => {
    const text = await readFile(`${folder}/${thread}/schedstat`, 'utf8').catch(() => '0');
    return Number(text.split(' ')[0]);
  });
  const ns = (await Promise.all(times)).reduce((sum, each) => sum + each, 0);
  return { ns, requests: Number(requests ?? 0) };
}

function figuresOf(microseconds: Rounds<Kind, number>): readonly Figure[] {
  const aaControl = ratioSpread(microseconds.offAgain, microseconds.off);
  const ratio = (name: string, kind: Kind): Figure => ({
    name: `${name} / not loaded`,
    unit: 'ratio',
    spread: ratioSpread(microseconds[kind], microseconds.off),
    aaControl,
  });
  const time = (name: string, kind: Kind): Figure => ({
    name: `a request, ${name}`,
    unit: 'µs',
    spread: spreadOf(microseconds[kind]),
  });
  return [
    { ...ratio('1 % of requests traced', 'onePercent'), goal: { atMost: 1.02 } },
    ratio('all requests traced', 'all'),
    time('OpenTelemetry not loaded', 'off'),
    time('1 % traced', 'onePercent'),
    time('all traced', 'all'),
  ];
}
