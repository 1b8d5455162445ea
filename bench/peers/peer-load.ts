import type { Generator } from '../../src/load/engine/generator.ts';
import { poisson } from '../../src/load/nouns/arrivals.ts';
import type { LoadReport } from '../../src/load/nouns/load-report.ts';
import type { BenchedModel } from './benched-models.ts';
import { type Ports, requestOf, wireOf } from './calls.ts';
import type { Call } from './peer.ts';

/** Max concurrent requests, and so connections over HTTP/1.1: an open loop holds more than that back, and counts the wait. */
export const IN_FLIGHT_MAX = 128;
/** Clients of the closed loop that a capacity is tried with: enough to fill the batches of those who batch twice over. */
export const CLOSED_CLIENTS = 64;
const DEADLINE_MS = 1_000;
const TIMEOUT_MS = 10_000;
/** A 99th percentile of fewer answers says nothing: slow servers are loaded for longer. */
const ANSWERS_MIN = 400;
const DURATION_MS_MAX = 15_000;

/** Who is loaded with what. */
export type Loaded = {
  readonly generator: Generator;
  readonly call: Call;
  readonly ports: Ports;
  readonly model: BenchedModel;
  readonly seed: number;
};

export type LoadTime = { readonly warmupMs: number; readonly durationMs: number };

/** Answers per second of a closed loop. Throws an Error where any request was refused. */
export async function closedRate(loaded: Loaded, time: LoadTime): Promise<number> {
  const arrivals = { kind: 'closed', concurrency: CLOSED_CLIENTS } as const;
  const report = await loaded.generator.run({ ...planOf(loaded, time), arrivals });
  const refused = Object.entries(report.measured.errors);
  if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(report.measured.errors)}`);
  return report.answersPerSecond;
}

/** An open loop at random moments, long enough for a 99th percentile. */
export async function openLoad(
  loaded: Loaded,
  perSecond: number,
  { warmupMs, durationMs }: LoadTime,
): Promise<LoadReport> {
  const needed = Math.min(DURATION_MS_MAX, (1_000 * ANSWERS_MIN) / perSecond);
  const time = { warmupMs, durationMs: Math.max(durationMs, needed) };
  return loaded.generator.run({ ...planOf(loaded, time), arrivals: poisson(perSecond) });
}

/** All answered, and the 99th percentile of the latency, from the intended start, within the limit. */
export function isGood({ measured }: LoadReport, p99MsMax: number): boolean {
  const answered = measured.offered > 0 && measured.ok === measured.offered;
  return answered && measured.latency.p99Ms <= p99MsMax;
}

function planOf({ call, ports, model, seed }: Loaded, { warmupMs, durationMs }: LoadTime) {
  return {
    wire: wireOf(call, ports),
    requests: model.rows.map((row) => requestOf(call, model, row)),
    inFlightMax: IN_FLIGHT_MAX,
    durationMs: warmupMs + durationMs,
    warmupMs,
    deadlineMs: DEADLINE_MS,
    timeoutMs: TIMEOUT_MS,
    seed,
  };
}
