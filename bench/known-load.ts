import type { Arrivals } from '../src/load/nouns/arrivals.ts';
import type { LoadReport } from '../src/load/nouns/load-report.ts';
import { postBytes } from '../src/load/wire/http-connection.ts';
import { type Aim, here } from './aim.ts';
import type { Effort } from './effort.ts';
import { expectAllAnswered } from './loader.ts';
import type { Workplace } from './workplace.ts';
import { delayScript, loadWithWrk, type WrkReport } from './wrk.ts';

/** Of the loads on the servers of known latency. */
export const PER_SECOND = 500;
/** wrk and our closed loop have so many connections. */
export const CONNECTIONS = 10;
/** From one request of a wrk connection to its next, answer and wait: together the same rate. */
export const WRK_PERIOD_MS = (1_000 * CONNECTIONS) / PER_SECOND;
const IN_FLIGHT_MAX = 2_048;

type Order = { readonly aim: Aim; readonly arrivals: Arrivals; readonly seed: number };

/** One load, all of whose requests must be answered. */
export async function load(
  { loader }: Workplace,
  { warmupMs, blockMs }: Effort,
  order: Order,
): Promise<LoadReport> {
  const { arrivals } = order;
  const inFlightMax = arrivals.kind === 'closed' ? arrivals.concurrency : IN_FLIGHT_MAX;
  const report = await loader.load({ ...order, inFlightMax, warmupMs, measuredMs: blockMs });
  expectAllAnswered(report);
  return report;
}

/** A load by wrk for as long as a block lasts, each of its connections waiting so long after an answer: the nearest it has to a rate. */
export async function wrkOn(
  workplace: Workplace,
  { blockMs }: Effort,
  { port, delayMs }: { readonly port: number; readonly delayMs: number },
): Promise<() => Promise<WrkReport>> {
  const script = await workplace.addFile(`delay-${delayMs}.lua`, delayScript(delayMs));
  const seconds = Math.max(1, Math.round(blockMs / 1_000));
  return () => loadWithWrk({ port, connections: CONNECTIONS, seconds, script });
}

/** At a server that accepts any body. */
export function aimOf(port: number, path = '/'): Aim {
  const request = postBytes({
    host: `127.0.0.1:${port}`,
    path,
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.from('x'),
  });
  return { wire: { kind: 'http', address: here(port) }, requests: [request] };
}
