import t from 'tap';
import type { Tensor } from '../../src/core/tensor.ts';
import { FRAME_KINDS, type Frame } from '../../src/frame/frame.ts';
import { decoded, encoded } from './builders.ts';

const X: Tensor = { name: 'x', dtype: 'UINT8', shape: [1, 3], data: Uint8Array.of(7, 8, 9) };

/** The second text is there and empty, the third is not there. */
const CONTEXT = { id: 'r1', traceparent: '', caller: undefined, deadlineMs: 1.5 };

/**
 * A frame of each kind and its bytes: the header, the head, and the data of its tensor. Both ends are always of one build, so the
 * format may change, but not unnoticed.
 */
const GOLDEN: { readonly [K in Frame['kind']]: readonly [Frame, readonly string[]] } = {
  request: [
    {
      kind: 'request',
      correlation: 258,
      plan: [0, 1],
      work: { ...CONTEXT, priority: 2, scan: true, outputs: ['y'], inputs: [X] },
    },
    [
      '58000000 00010000 02010000 3e000000',
      '02000102 00000072 31000000 00ffffff',
      'ff000000 000000f8 3f020000 00010100',
      '00000100 00007901 00000001 00000078',
      '01020100 00000300 00000300 00000000',
      '07080900 00000000',
    ],
  ],
  answer: [
    {
      kind: 'answer',
      correlation: 258,
      answer: {
        queueMs: 0.5,
        batch: { id: 3, rows: 4 },
        runs: [
          { kind: 'answer', computeMs: 2, outputs: [X], nonFinite: ['x'] },
          { kind: 'failure', code: 'invalid_input', message: 'no' },
        ],
      },
    },
    [
      '60000000 01010000 02010000 46000000',
      '00000000 0000e03f 00000000 00000840',
      '04000000 02000000 00000000 00400100',
      '00000100 00007801 02010000 00030000',
      '00030000 00010000 00010000 00780100',
      '02000000 6e6f0000',
      '07080900 00000000',
    ],
  ],
  failure: [
    {
      kind: 'failure',
      correlation: 258,
      code: 'invalid_input',
      message: 'é',
      retryAfterMs: 8,
      stuckSource: 1,
    },
    ['20000000 02010000 02010000 10000000', '00020000 00c3a900 00000000 00204001'],
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
    { kind: 'job', plan: [1], requests: [CONTEXT], scannedRows: [1], tensors: [X] },
    [
      '58000000 06010000 00000000 3b000000',
      '01010100 00000200 00007231 00000000',
      'ffffffff 00000000 0000f83f 01000000',
      '01000000 01000000 01000000 78010201',
      '00000003 00000003 00000000 00000000',
      '07080900 00000000',
    ],
  ],
  result: [
    {
      kind: 'result',
      runs: [{ kind: 'answer', computeMs: 2, outputs: [X] }],
      nonFinite: [{ run: 0, request: 2, output: 'x' }],
    },
    [
      '50000000 07010000 00000000 33000000',
      '01000000 00000000 00400100 00000100',
      '00007801 02010000 00030000 00030000',
      '00000000 00010000 00000200 00000100',
      '00007800 00000000',
      '07080900 00000000',
    ],
  ],
};

for (const kind of FRAME_KINDS) {
  t.test(`${kind}: its bytes are the ones that are written down here`, async (t) => {
    const [frame, lines] = GOLDEN[kind];
    const expected = Buffer.from(lines.join('').replaceAll(' ', ''), 'hex');
    t.equal(Buffer.from(encoded(frame)).toString('hex'), expected.toString('hex'));
    t.strictSame(decoded(expected), frame);
  });
}
