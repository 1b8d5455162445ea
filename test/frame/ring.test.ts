import assert from 'node:assert/strict';
import { once } from 'node:events';
import { openSync, readdirSync, writeSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import type { Frame, RequestFrame } from '../../src/frame/frame.ts';
import { FrameError } from '../../src/frame/frame-error.ts';
import { FrameSocket } from '../../src/frame/frame-socket.ts';
import { openRing, RingReader, RingWriter } from '../../src/frame/ring.ts';
import { aHost } from '../support/a-host.ts';
import { aFakeSource } from '../support/a-source.ts';
import { valuesOf } from '../support/a-tensor.ts';
import { anInferRequest } from '../support/an-infer-request.ts';
import { aRequestFrame, decoded, STILL } from './builders.ts';

const RING_BYTES = 16 * 1024 * 1024;

function aRing(t: Pick<Test, 'testdir'>) {
  const fd = openRing(t.testdir());
  if (fd === undefined) throw new Error('a temporary folder takes a file');
  return { fd, writer: new RingWriter(fd), reader: new RingReader(fd) };
}

/** Bytes by which one frame differs from another. */
const aFrame = (number: number, bytes: number): Buffer => Buffer.alloc(bytes, 1 + (number % 250));

t.test('what is put down is read as it was, however full the ring gets', async (t) => {
  const { fd, reader } = aRing(t);
  const step = fc.oneof(fc.integer({ min: 1, max: 5_600_000 }), fc.constant('take' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.nat(0xffff_ffff), (steps, start) => {
      // Numbers of blocks wrap around after some hours of heavy traffic: begin anywhere.
      const position = Buffer.alloc(4);
      position.writeUInt32LE(start);
      writeSync(fd, position, 0, 4, 0);
      const writer = new RingWriter(fd);
      const waiting: { at: number; frame: Buffer }[] = [];
      const takeOne = (): void => {
        const first = waiting.shift();
        if (first === undefined) return;
        const { at, frame } = first;
        assert(frame.equals(reader.take(at, frame.byteLength)));
      };
      steps.forEach((bytes, number) => {
        if (bytes === 'take') {
          takeOne();
          return;
        }
        const frame = aFrame(number, bytes);
        const half = Math.floor(bytes / 2);
        const at = writer.put([frame.subarray(0, half), frame.subarray(half)], bytes);
        if (at === undefined) assert(waiting.length > 0, 'an empty ring has room');
        else waiting.push({ at, frame });
      });
      while (waiting.length > 0) takeOne();
      assert.equal(writer.waitingBytes, 0);
    }),
    { numRuns: 40 },
  );
});

t.test('a full ring takes nothing, and has room again for what was read', async (t) => {
  const { writer, reader } = aRing(t);
  const frame = aFrame(1, RING_BYTES / 2);
  const first = writer.put([frame], frame.byteLength);
  t.type(writer.put([frame], frame.byteLength), 'number');
  t.equal(writer.waitingBytes, RING_BYTES);
  t.equal(writer.put([aFrame(2, 1)], 1), undefined);
  reader.take(first ?? -1, frame.byteLength);
  t.equal(writer.waitingBytes, RING_BYTES / 2);
  t.type(writer.put([aFrame(2, 1)], 1), 'number');
  const long = aFrame(3, RING_BYTES + 1);
  t.equal(writer.put([long], long.byteLength), undefined, 'longer than the ring');
});

t.test('where there is no such memory, or no more of it, nothing is put down', async (t) => {
  t.equal(openRing(path.join(t.testdir(), 'missing')), undefined);
  // Every write to this file fails as on a full disk.
  const full = new RingWriter(openSync('/dev/full', 'r+'));
  t.equal(full.put([aFrame(1, 100)], 100), undefined);
  t.equal(full.waitingBytes, 0);
  const { writer } = aRing(t);
  writer.close();
  t.equal(writer.put([aFrame(1, 100)], 100), undefined);
});

t.test('a place that no frame can have, or that nothing was put into, is refused', async (t) => {
  const { reader } = aRing(t);
  t.throws(() => reader.take(4095, 8192), { message: /found 2 at 4095/ });
  t.throws(() => reader.take(0, 4096), { message: /expected 4096 bytes, found 0/ });
});

t.test(
  'an end that writes nonsense confuses the other neither about places nor about frames',
  async (t) => {
    const { fd, writer, reader } = aRing(t);
    const number = fc.nat(0xffff_ffff);
    const nonsense = fc.uint8Array({ minLength: 4, maxLength: 64 });
    fc.assert(
      fc.property(
        number,
        nonsense,
        fc.integer({ min: 1, max: RING_BYTES }),
        (at, bytes, length) => {
          writeSync(fd, bytes, 0, 4, 0);
          writeSync(fd, bytes, 0, bytes.length, 4096);
          const place = writer.put([aFrame(1, length)], length);
          const blocks = Math.ceil(length / 4096);
          if (place !== undefined) assert((place % 4096) + blocks <= 4096, 'within the ring');
          assert(writer.waitingBytes <= RING_BYTES);
          for (const claimed of [at, length]) {
            try {
              decoded(reader.take(at, claimed));
            } catch (error) {
              assert(error instanceof FrameError, String(error));
            }
          }
        },
      ),
      { numRuns: 100 },
    );
  },
);

/** Two ends of one socket. */
async function socketPair(t: Pick<Test, 'teardown'>): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ours = connect(port, '127.0.0.1');
  const [theirs] = (await once(server, 'connection')) as [Socket];
  t.teardown(() => {
    ours.destroy();
    server.close();
  });
  return [ours, theirs];
}

function aRequest(correlation: number, bytes: number): RequestFrame {
  const data = new Uint8Array(aFrame(correlation, bytes));
  const inputs = [{ name: 'x', dtype: 'UINT8', shape: [bytes], data }] as const;
  return aRequestFrame({ inputs }, correlation);
}

t.test('large frames leave a doorbell on the socket; all arrive whole and in order', async (t) => {
  const [ours, theirs] = await socketPair(t);
  const [requests, answers] = [aRing(t), aRing(t)];
  const random = seededRandom(7);
  const sent = Array.from({ length: 60 }, (_, at) =>
    aRequest(at, 1 + random.integer(at % 2 === 0 ? 1_000 : 900_000)),
  );
  const found: Frame[] = [];
  const arrived = new Promise<void>((resolve, reject) => {
    const end = new FrameSocket(theirs, {
      clock: STILL,
      onFrame: (frame) => {
        found.push(frame);
        if (found.length === sent.length) resolve();
      },
      onError: reject,
    });
    end.share({ inbox: requests.reader, outbox: answers.writer });
  });
  const frames = new FrameSocket(ours, {
    clock: STILL,
    onFrame: () => undefined,
    onError: t.fail,
  });
  frames.share({ inbox: answers.reader, outbox: requests.writer });
  for (const frame of sent) frames.send(frame);
  t.ok(frames.backlogBytes > 0);
  await arrived;
  t.ok(ours.bytesWritten < 200_000, `${ours.bytesWritten} bytes of 13 million over the socket`);
  assert.deepEqual(found, sent);
  t.equal(frames.backlogBytes, 0);
});

t.test('a doorbell without shared memory ends the socket', async (t) => {
  const [ours, theirs] = await socketPair(t);
  const refused = new Promise<Error>((resolve) => {
    new FrameSocket(theirs, {
      clock: STILL,
      onFrame: () => t.fail('no frame'),
      onError: resolve,
    });
  });
  const frames = new FrameSocket(ours, {
    clock: STILL,
    onFrame: () => undefined,
    onError: () => undefined,
  });
  frames.send({ kind: 'stored', at: 0, bytes: 100 });
  t.match(await refused, { message: /expected no stored frame/ });
});

// A killed child leaves no descriptor and no name behind, and the next one has memory of its own.
t.test('large requests and answers survive the death of the child between them', async (t) => {
  const width = 200_000;
  const names = () => readdirSync('/dev/shm').filter((name) => name.startsWith('understudy-'));
  const others = names();
  const { host } = await aHost(t, {
    tier: 'process',
    source: aFakeSource(`width=${width}&scale=2&killOn=13`),
    queue: { requestsMax: 64, bytesMax: 64_000_000 },
  });
  const ask = async (value: number) => {
    const request = anInferRequest(new Array(width).fill(value));
    const { outputs } = await host.infer(request, new AbortController().signal);
    return new Set(valuesOf(outputs[0]));
  };
  t.strictSame(await Promise.all([ask(1), ask(2), ask(3)]), [
    new Set([2]),
    new Set([4]),
    new Set([6]),
  ]);
  const before = readdirSync('/proc/self/fd').length;
  await t.rejects(ask(13), { code: 'host_lost' });
  t.strictSame(await ask(5), new Set([10]));
  t.equal(readdirSync('/proc/self/fd').length, before);
  t.strictSame(
    names().filter((name) => !others.includes(name)),
    [],
  );
});
