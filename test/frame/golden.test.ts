import t from 'tap';
import type { Tensor } from '../../src/core/tensor.ts';
import { decodeFrame } from '../../src/frame/decode-frame.ts';
import { encodeBuffer } from '../../src/frame/encode-frame.ts';
import { FRAME_KINDS, type Frame } from '../../src/frame/frame.ts';

const X: Tensor = { name: 'x', dtype: 'UINT8', shape: [1, 3], data: Uint8Array.of(7, 8, 9) };

/**
 * A frame of each kind and its bytes: the header, the head, and the data of its tensor. Both ends are always of one build, so the
 * format may change, but not unnoticed.
 */
const GOLDEN: { readonly [K in Frame['kind']]: readonly [Frame, readonly string[]] } = {
  request: [
    {
      kind: 'request',
      correlation: 258,
      id: 'r1',
      remainingMs: 1.5,
      priority: 2,
      plan: [0, 1],
      outputs: ['y'],
      tensors: [X],
    },
    [
      '50000000 00010000 02010000 35000000',
      '02000000 72310000 00000000 f83f0200',
      '00000200 01010000 00010000 00790100',
      '00000100 00007801 02010000 00030000',
      '00030000 00000000',
      '07080900 00000000',
    ],
  ],
  answer: [
    {
      kind: 'answer',
      correlation: 258,
      queueMs: 0.5,
      batch: { id: 3, rows: 4 },
      runs: [
        { kind: 'answer', computeMs: 2, outputs: [X] },
        { kind: 'failure', code: 'invalid_input', message: 'no' },
      ],
    },
    [
      '58000000 01010000 02010000 3d000000',
      '00000000 0000e03f 00000000 00000840',
      '04000000 02000000 00000000 00400100',
      '00000100 00007801 02010000 00030000',
      '00030000 00010002 0000006e 6f000000',
      '07080900 00000000',
    ],
  ],
  failure: [
    { kind: 'failure', correlation: 258, code: 'invalid_input', message: 'é', retryAfterMs: 8 },
    ['20000000 02010000 02010000 0f000000', '00020000 00c3a900 00000000 00204000'],
  ],
  cancel: [{ kind: 'cancel', correlation: 258 }, ['10000000 03010000 02010000 00000000']],
  control: [
    { kind: 'control', body: { kind: 'close' } },
    [
      '28000000 04010000 00000000 14000000',
      '10000000 7b226b69 6e64223a 22636c6f',
      '7365227d 00000000',
    ],
  ],
  stored: [
    { kind: 'stored', at: 5, bytes: 65_536 },
    ['18000000 05010000 00000000 08000000', '05000000 00000100'],
  ],
  job: [
    { kind: 'job', plan: [1], tensors: [X] },
    [
      '38000000 06010000 00000000 19000000',
      '01010100 00000100 00007801 02010000',
      '00030000 00030000 00000000 00000000',
      '07080900 00000000',
    ],
  ],
  result: [
    { kind: 'result', runs: [{ kind: 'answer', computeMs: 2, outputs: [X] }] },
    [
      '40000000 07010000 00000000 21000000',
      '01000000 00000000 00400100 00000100',
      '00007801 02010000 00030000 00030000',
      '00000000 00000000',
      '07080900 00000000',
    ],
  ],
};

for (const kind of FRAME_KINDS) {
  t.test(`${kind}: its bytes are the ones that are written down here`, async (t) => {
    const [frame, lines] = GOLDEN[kind];
    const expected = Buffer.from(lines.join('').replaceAll(' ', ''), 'hex');
    t.equal(Buffer.from(encodeBuffer(frame)).toString('hex'), expected.toString('hex'));
    t.strictSame(decodeFrame(expected), frame);
  });
}
