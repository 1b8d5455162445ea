import t from 'tap';
import type { InferRequest } from '../../../src/core/infer.ts';
import { BodyMemory } from '../../../src/protocol/rest/body-memory.ts';
import { aGateway } from '../../gateway/builders.ts';
import { anInput, aServer, binaryCall, binaryInput, inferCall, LIMITS } from './builders.ts';

const LARGE = 1_000_000;
const ROWS = 100_000;

t.test('memory that was given back serves the next body that fits it', async (t) => {
  const memory = new BodyMemory();
  const first = memory.take(LARGE);
  memory.giveBack(first);
  const next = memory.take(LARGE - 10);
  t.equal(next.buffer, first.buffer);
  t.equal(next.byteLength, LARGE - 10);
  t.not(memory.take(LARGE).buffer, first.buffer, 'no two bodies share memory');
});

t.test('a body much smaller than what is kept does not hold it', async (t) => {
  const memory = new BodyMemory();
  const large = memory.take(LARGE);
  memory.giveBack(large);
  t.not(memory.take(LARGE / 4).buffer, large.buffer);
});

t.test('what comes back twice, or was never lent, is not lent', async (t) => {
  const memory = new BodyMemory();
  const [mine, foreign] = [memory.take(LARGE), Buffer.alloc(LARGE)];
  for (const each of [mine, mine, foreign]) memory.giveBack(each);
  t.equal(memory.take(LARGE).buffer, mine.buffer);
  const other = memory.take(LARGE).buffer;
  t.not(other, mine.buffer);
  t.not(other, foreign.buffer);
});

t.test('the memory of an abandoned body is freed immediately', async (t) => {
  const memory = new BodyMemory();
  const [lost, foreign] = [memory.take(LARGE), Buffer.alloc(LARGE)];
  for (const each of [lost, foreign, lost]) memory.abandon(each);
  t.equal(lost.byteLength, 0);
  t.equal(foreign.byteLength, LARGE);
});

t.test('what is kept has a bound', async (t) => {
  const memory = new BodyMemory();
  const many = Array.from({ length: 40 }, () => memory.take(LARGE));
  for (const each of many) memory.giveBack(each);
  const before = new Set(many.map(({ buffer }) => buffer));
  const again = Array.from({ length: 40 }, () => memory.take(LARGE));
  t.equal(again.filter(({ buffer }) => before.has(buffer)).length, 16);
});

t.test('tensors keep their values while other bodies come', async (t) => {
  const seen: InferRequest[] = [];
  const gateway = aGateway({
    limits: { inFlightMax: 100, armInFlightMax: 100, rowsMax: () => ROWS },
    taps: [
      (request) => {
        seen.push(request);
        return undefined;
      },
    ],
  });
  const limits = { ...LIMITS, bodyBytesMax: 2 * LARGE, jsonElementsMax: 2 * ROWS };
  const server = aServer({ limits, gateway });
  const dataOf = (value: number): number[] => Array(2 * ROWS).fill(value);
  const asJson = (value: number) =>
    inferCall({ inputs: [anInput({ shape: [ROWS, 2], data: dataOf(value) })] });
  const asBinary = (value: number) => {
    const data = Buffer.from(Float32Array.from(dataOf(value)).buffer);
    return binaryCall({ inputs: [{ ...binaryInput(data.byteLength), shape: [ROWS, 2] }] }, data);
  };
  const calls = [1, 2, 3, 4].flatMap((value) => [asJson(value), asBinary(value + 0.5)]);
  const answers = [];
  for (const call of calls) answers.push(await server.app.inject(call));
  answers.push(...(await Promise.all(calls.map((call) => server.app.inject(call)))));
  t.same(
    answers.filter(({ statusCode }) => statusCode !== 200).map(({ body }) => body),
    [],
  );
  const found = seen.map(({ inputs: [x] }) => Buffer.from(x?.data ?? []).readFloatLE());
  const wanted = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5];
  t.same(found.slice(0, 8), wanted);
  t.same(found.slice(8).sort(), wanted);
});
