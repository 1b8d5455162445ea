/** A worker thread that does nothing but run a model on one row: what onnxruntime-node can do on one thread. */
import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { systemClock } from '../src/core/clock.ts';
import type { EchoNews } from './echo-message.ts';

const session = await ort.InferenceSession.create(workerData as string, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const feeds: Record<string, ort.Tensor> = {};
for (const input of session.inputMetadata) {
  if (!input.isTensor) throw new Error(`${input.name} is not a tensor`);
  const shape = input.shape.map((dimension) => (typeof dimension === 'number' ? dimension : 1));
  const values = Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, at, length = shape.at(-1) ?? 1) => at / length,
  );
  feeds[input.name] = new ort.Tensor('float32', values, shape);
}
await session.run(feeds);
send({ kind: 'opened' });

parentPort?.on('message', (durationMs: number) => void runFor(durationMs));

async function runFor(durationMs: number): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  let runs = 0;
  while (systemClock.monotonicMs() - startedMs < durationMs) {
    await session.run(feeds);
    runs += 1;
  }
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
  send({ kind: 'ran', runsPerSecond: runs / seconds });
}

function send(news: EchoNews): void {
  parentPort?.postMessage(news);
}
