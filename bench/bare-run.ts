/** A worker thread that does nothing but run a model: what onnxruntime-node can do on one thread. */
import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { systemClock } from '../src/core/clock.ts';
import type { EchoOrder } from './echo-server.ts';

const order = workerData as EchoOrder;
const session = await ort.InferenceSession.create(order.file, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
});
const feeds: Record<string, ort.Tensor> = {};
for (const input of session.inputMetadata) {
  if (!input.isTensor) throw new Error(`${input.name} is not a tensor`);
  const shape = input.shape.map((dimension) =>
    typeof dimension === 'number' ? dimension : order.rows,
  );
  feeds[input.name] = new ort.Tensor(
    'float32',
    new Float32Array(shape.reduce((a, b) => a * b, 1)),
    shape,
  );
}
await session.run(feeds);
const startedMs = systemClock.monotonicMs();
let runs = 0;
while (systemClock.monotonicMs() - startedMs < order.durationMs) {
  await session.run(feeds);
  runs += 1;
}
parentPort?.postMessage((runs * 1000) / (systemClock.monotonicMs() - startedMs));
