/** Runs the probe of a model's rows on its own replicas, before the version is ready. */

import { type ProbeFinding, type ProbeReply, probeRows } from '../batching/row-independence.ts';
import type { RunBatch } from '../batching/work.ts';
import { messageOf } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { requiredInputs, type Signature } from '../core/tensor.ts';
import { durationText } from '../core/text.ts';

/** Replica time that one probe may take, in milliseconds. A model that needs longer is joined only where that is declared. */
const PROBE_MS_MAX = 10_000;

/** The same rows every time: what was found can be found again. */
const SEED = 20_260_101;

export type RowProbeOptions = {
  readonly signature: Signature;
  readonly rowsMax: number;
  /** The model's place in a plan. */
  readonly source: number;
  readonly runSpare: RunBatch;
};

/** Resolves with what was found, which is `unknown` where the probe took too long; rejects where the version is unloaded meanwhile. */
export async function probeModel(options: RowProbeOptions): Promise<ProbeFinding> {
  const { signature, rowsMax, source, runSpare } = options;
  const probe = probeRows(
    { ...signature, inputs: requiredInputs(signature) },
    { rowsMax, random: seededRandom(SEED) },
  );
  let leftMs = PROBE_MS_MAX;
  let step = probe.next();
  while (!step.done) {
    const { runs, takenMs } = await runSpare(step.value.tensors, [source]);
    leftMs -= takenMs;
    if (leftMs < 0) {
      const because = `its probe took longer than ${durationText(PROBE_MS_MAX)}`;
      return { kind: 'unknown', because, isPassing: true };
    }
    step = probe.next(replyOf(runs[0], takenMs));
  }
  return step.value;
}

function replyOf(
  run: Awaited<ReturnType<RunBatch>>['runs'][number] | undefined,
  ms: number,
): ProbeReply {
  if (run?.kind === 'answer') return { kind: 'outputs', outputs: run.outputs, ms };
  return { kind: 'failed', message: messageOf(run?.message ?? 'no run') };
}
