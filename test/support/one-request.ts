import { systemClock } from '../../src/core/clock.ts';
import { startHost } from '../../src/host/host.ts';
import { aHostLog } from './a-host.ts';
import { aFakeSource } from './a-source.ts';
import { anInferRequest } from './an-infer-request.ts';

/** A gateway of its own for tests that stop or kill it: one host, one request that blocks its thread for a second. */
const tier = process.argv[2] === 'process' ? 'process' : 'thread';
const host = await startHost({
  target: { model: 'm', version: '1' },
  source: aFakeSource('blockMs=0&hangOn=7&hangMs=1000'),
  tier,
  nice: 0,
  replicas: 1,
  batch: { rowsMax: 8, delayMs: 0 },
  queue: { requestsMax: 8, bytesMax: 1_000_000 },
  runMsMax: 10_000,
  clock: systemClock,
  listeners: aHostLog().listeners,
});
process.on('SIGTERM', () => void host.close());
const answer = host.infer(anInferRequest([7]), new AbortController().signal);
setTimeout(() => process.stdout.write(`running ${host.pid()}\n`), 100);
await answer;
process.stdout.write('answered\n');
