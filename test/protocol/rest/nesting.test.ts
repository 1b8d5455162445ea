import t from 'tap';
import { createTimeSlicer } from '../../../src/concurrency/time-slicer.ts';
import { decodeJsonTensor } from '../../../src/protocol/rest/decode-json.ts';
import { Nesting } from '../../../src/protocol/rest/nesting.ts';
import { anyShare } from './builders.ts';

function decode(text: string, shape: readonly number[]): Promise<Uint8Array> {
  const json = Buffer.from(text);
  const range = { start: 0, end: json.byteLength };
  const tensor = { json, range, name: 'x', dtype: 'INT8', shape } as const;
  return decodeJsonTensor(tensor, {
    limits: { jsonElementsMax: 100 },
    slicer: createTimeSlicer(),
    share: anyShare(),
  });
}

const RAGGED: readonly [string, number[], RegExp][] = [
  [
    '[[1,2,3],[4]]',
    [2, 2],
    /expected a list of 3, as the first of its depth, found one of 1 at byte 11/,
  ],
  ['[[1],[2,3,4]]', [2, 2], /expected a list of 1.*found one of 3 at byte 11/],
  ['[[1,2],3,4]', [2, 2], /expected lists alone.*found an element at byte 7/],
  ['[1,2,[3,4]]', [2, 2], /expected elements alone.*found a list at byte 5/],
  ['[[[1],[2]],[3,4]]', [2, 2], /expected lists alone.*found an element at byte 12/],
  ['[[1,2],[[3],[4]]]', [2, 2], /expected elements alone.*found a list at byte 8/],
  ['[[],[1,2]]', [1, 2], /expected a list of 0.*found one of 2/],
  ['[[[1,2]],[[3],[4]]]', [2, 2], /expected a list of 2.*found one of 1 at byte 12/],
];

t.test('ragged data is refused where it leaves the rule', async (t) => {
  for (const [text, shape, message] of RAGGED) {
    await t.rejects(decode(text, shape), { code: 'invalid_input', message }, text);
  }
});

t.test('regular data is taken flat, nested or nested otherwise than the shape', async (t) => {
  for (const text of ['[1,2,3,4]', '[[1,2],[3, 4]]', '[[[1],[2]],[[3],[4]]]', '[[1,2,3,4]]']) {
    t.same([...(await decode(text, [2, 2]))], [1, 2, 3, 4], text);
  }
  for (const text of ['[]', '[[]]', '[[],[]]', '[[[],[]],[[],[]]]']) {
    t.equal((await decode(text, [2, 0])).byteLength, 0, text);
  }
});

t.test('elements that come in several runs are of one list', (t) => {
  const nesting = new Nesting('x');
  nesting.open(0, 0);
  nesting.open(1, 1);
  nesting.add(2, 3, 2);
  nesting.add(2, 1, 9);
  nesting.close(1, 10);
  nesting.open(1, 12);
  nesting.add(2, 3, 13);
  t.throws(() => nesting.close(1, 20), {
    message: /input 'x': expected a list of 4.*found one of 3/,
  });
  t.end();
});
