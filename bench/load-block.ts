import type { LoadProcess } from '../src/load/load-process.ts';
import type { LoadReport } from '../src/load/run-load.ts';
import type { Effort } from './figure.ts';

/** Where a closed loop sends its one request, over and over. */
export type Target = { readonly port: number; readonly request: Buffer };

/** Answers later than this are none; nothing in a suite comes near it. */
const DEADLINE_MS = 1_000;

/** One block of a closed loop with so many requests in flight. Returns answers per second; throws unless all were 200. */
export async function closedBlock(
  generator: LoadProcess,
  { port, request }: Target,
  { effort, concurrency }: { readonly effort: Effort; readonly concurrency: number },
): Promise<number> {
  const report = await generator.run({
    host: '127.0.0.1',
    port,
    requestsBase64: [request.toString('base64')],
    arrivals: { kind: 'closed', concurrency },
    connectionsMax: concurrency,
    durationMs: effort.warmupMs + effort.blockMs,
    warmupMs: effort.warmupMs,
    deadlineMs: DEADLINE_MS,
    seed: 1,
  });
  expectAllAnswered(report);
  return report.achievedPerSecond;
}

/** A rate of refusals is no throughput. */
export function expectAllAnswered(report: LoadReport): void {
  if (report.ok === report.sent && report.sent > 0) return;
  throw new Error(
    `expected ${report.sent} answers with status 200, found ${report.ok}; the others: ${JSON.stringify(report.errors)}`,
  );
}
