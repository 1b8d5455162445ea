import { Counter, type Registry } from 'prom-client';

type Tally = { readonly count: number; readonly ms: number };

/** What one version has done, as the protocol's statistics count it. */
export type VersionTally = {
  readonly model: string;
  readonly version: string;
  readonly inferences: number;
  readonly executions: number;
  readonly success: Tally;
  readonly failure: Tally;
  readonly queue: Tally;
  readonly compute: Tally;
};

type Read = (tally: VersionTally) => number;

const US_PER_MS = 1_000;

/** By Triton's name: its help, and where the value comes from. Times are totals of answered requests in microseconds. */
const METRICS: Readonly<Record<string, readonly [string, Read]>> = {
  nv_inference_request_success: ['Answered requests', ({ success }) => success.count],
  nv_inference_request_failure: ['Failed requests', ({ failure }) => failure.count],
  nv_inference_count: ['Rows of answered requests', ({ inferences }) => inferences],
  nv_inference_exec_count: ['Runs of the model', ({ executions }) => executions],
  nv_inference_request_duration_us: [
    'Time from admission to answer',
    ({ success }) => success.ms * US_PER_MS,
  ],
  nv_inference_queue_duration_us: ['Time in the queue', ({ queue }) => queue.ms * US_PER_MS],
  nv_inference_compute_infer_duration_us: [
    'Compute time of the batches that requests were part of',
    ({ compute }) => compute.ms * US_PER_MS,
  ],
};

/** Counts under the names that Triton's dashboards and autoscalers read, from the same source as the protocol's statistics. */
export function addTritonMetrics(registry: Registry, read: () => readonly VersionTally[]): void {
  for (const [name, [help, readFrom]] of Object.entries(METRICS)) {
    new Counter({
      name,
      help,
      labelNames: ['model', 'version'],
      registers: [registry],
      collect() {
        this.reset();
        for (const tally of read()) {
          this.inc({ model: tally.model, version: tally.version }, readFrom(tally));
        }
      },
    });
  }
}
