import { startHost } from '../../src/host/host.ts';
import { aHostOptions } from './a-host.ts';
import { aFakeSource } from './a-source.ts';
import { anInferRequest } from './an-infer-request.ts';

/** A gateway of its own for tests that stop or kill it: one host, one request that blocks its thread for a second. */
const tier = process.argv[2] === 'process' ? 'process' : 'thread';
const source = aFakeSource('hangOn=7&hangMs=1000');
const host = await startHost(aHostOptions({ tier, source }));
process.on('SIGTERM', () => void host.close());
const answer = host.infer(anInferRequest([7]), new AbortController().signal);
setTimeout(() => process.stdout.write(`running ${host.pid()}\n`), 100);
await answer;
process.stdout.write('answered\n');
