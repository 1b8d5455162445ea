import { EventEmitter } from 'node:events';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';

import { CallMemory } from '../../../src/protocol/grpc/call-memory.ts';
import { MemoryBudget } from '../../../src/protocol/memory-budget.ts';
import { until } from '../../support/until.ts';
import { aSession, ended, framed } from './a-session.ts';
import { aConversation, anInfer } from './builders.ts';

const FULL = String(status.RESOURCE_EXHAUSTED);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

t.test('what calls brought is let go with their connection, not a minute later', async (t) => {
  const limits = { messageBytesMax: 10_000_000, stallMsMax: 600_000 };
  const budget = new MemoryBudget(100_000_000);
  const { port } = await aConversation(t, { limits, budget });
  const first = process.memoryUsage().arrayBuffers;
  const { session, open } = await aSession(t, port);
  for (const method of ['ModelInfer', 'ModelStreamInfer', 'ModelInfer', 'ModelStreamInfer'])
    open(method).write(framed(Buffer.alloc(9_000_000)).subarray(0, 4_000_000));
  await until('they have arrived', () => budget.usedBytes >= 16_000_000);
  session.destroy();
  await until('nothing is counted', () => budget.usedBytes === 0);
  await until('nothing is held', () => {
    collect();
    return process.memoryUsage().arrayBuffers < first + 4_000_000;
  });
});

/** A stream as HTTP/2 hands it over, whose pieces are seen by the memory for calls. */
function aStream(budget: MemoryBudget): Readable {
  const memory = new CallMemory({
    budget,
    messageBytesMax: 1_000_000,
    givesBack: () => true,
    onRefused: () => {},
    onInternalError: () => {},
  });
  const session = new EventEmitter();
  memory.watch(session as ServerHttp2Session);
  const stream = new Readable({ read: () => {} });
  session.emit('stream', stream as unknown as ServerHttp2Stream, {});
  return stream;
}

/** What keeps the memory of a whole read, of a piece of it that a call holds. */
function heldBy(budget: MemoryBudget, pieceBytes: number): number {
  const stream = aStream(budget);
  stream.push(Buffer.from(new ArrayBuffer(65_536), 0, pieceBytes));
  return (stream.read() as Buffer).buffer.byteLength;
}

t.test('a small piece of one read holds no more than itself', async (t) => {
  const budget = new MemoryBudget(1_000_000);
  t.ok(heldBy(budget, 8_192) <= 8_192);
  t.equal(heldBy(budget, 16_384), 65_536, 'large ones are not copied while there is room');
  const share = budget.open();
  share.take(200_000);
  t.equal(heldBy(budget, 16_384), 16_384, 'and are where there is little');
  t.equal(heldBy(budget, 65_536), 65_536);
});

/** Calls that send nothing but seven kilobytes of metadata, and stay open. */
async function openCalls(t: Test, port: number, count: number) {
  const { session, open } = await aSession(t, port);
  const calls = Array.from({ length: count }, () =>
    open('ModelStreamInfer', { 'x-large': 'a'.repeat(7_000) }),
  );
  return { session, calls };
}

t.test('calls that are open count with their metadata', async (t) => {
  const budget = new MemoryBudget(400_000);
  const { port } = await aConversation(t, { budget });
  await openCalls(t, port, 25);
  await until('they are counted', () => budget.usedBytes > 25 * 15_000);
  const { calls } = await openCalls(t, port, 4);
  const codes = await Promise.all(calls.slice(1).map(async (call) => (await ended(call)).code));
  t.same(codes, [FULL, FULL, FULL]);
});

t.test('calls that have ended count no more', async (t) => {
  const budget = new MemoryBudget(400_000);
  const { port, call } = await aConversation(t, { budget });
  const { session } = await openCalls(t, port, 20);
  await until('they are counted', () => budget.usedBytes > 20 * 15_000);
  session.destroy();
  await until('they are not', () => budget.usedBytes === 0);
  const { error } = await call('ModelInfer', anInfer());
  t.equal(error, undefined);
});
