/** Every datatype's values through an identity, the awkward ones in cases of their own. */
import type { Case, Level } from '../case.ts';
import { inferenceCase } from '../kinds/inference.ts';
import { type IDENTITY_DATATYPES, identityModel } from '../model-names.ts';
import { GRPC, REST } from '../references.ts';
import type { Value } from '../wire/datatype.ts';
import { tensor } from '../wire/tensor.ts';

type IdentityDatatype = (typeof IDENTITY_DATATYPES)[number];

type Row = {
  readonly datatype: IdentityDatatype;
  /** What is particular about the values. */
  readonly kind: string;
  readonly values: readonly Value[];
  readonly level?: Level;
  readonly jsonMayRefuse?: string;
};

const NAN_IN_JSON = 'JSON has no token for it';
const HALF_IN_JSON = 'servers may take 16-bit floats as bytes only';
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

/** The smallest positive values: denormals, which a server that flushes to zero loses. */
const LEAST = { FP16: 2 ** -24, FP32: 2 ** -149, FP64: 5e-324 } as const;
const GREATEST = {
  FP16: 65_504,
  FP32: (2 - 2 ** -23) * 2 ** 127,
  FP64: Number.MAX_VALUE,
} as const;

const ROWS: readonly Row[] = [
  { datatype: 'BOOL', kind: 'both', values: [true, false, true, true] },
  ...wholeRows('UINT8', 0n, 2n ** 8n - 1n),
  ...wholeRows('UINT16', 0n, 2n ** 16n - 1n),
  ...wholeRows('UINT32', 0n, 2n ** 32n - 1n),
  ...wholeRows('UINT64', 0n, 2n ** 64n - 1n),
  ...wholeRows('INT8', -(2n ** 7n), 2n ** 7n - 1n),
  ...wholeRows('INT16', -(2n ** 15n), 2n ** 15n - 1n),
  ...wholeRows('INT32', -(2n ** 31n), 2n ** 31n - 1n),
  ...wholeRows('INT64', -(2n ** 63n), 2n ** 63n - 1n),
  {
    datatype: 'INT64',
    kind: 'beyond-2-53',
    values: [2n ** 53n + 1n, -(2n ** 53n) - 1n, 9_007_199_254_740_993n, 1_234_567_890_123_456_789n],
  },
  { datatype: 'UINT64', kind: 'beyond-2-53', values: [2n ** 53n + 1n, 2n ** 63n + 1n] },
  ...floatRows('FP16'),
  ...floatRows('FP32'),
  ...floatRows('FP64'),
  {
    datatype: 'FP64',
    kind: 'all-digits',
    values: [0.1, 1 / 3, Math.PI, 1.797e308, 2 ** 53 + 2, 123_456_789.123_456_79],
  },
  { datatype: 'FP32', kind: 'all-digits', values: [0.1, 1 / 3, 16_777_217, 1.17549e-38] },
  { datatype: 'BYTES', kind: 'text', values: ['one', 'two words', '3'] },
  { datatype: 'BYTES', kind: 'empty', values: ['', 'between', ''] },
  { datatype: 'BYTES', kind: 'unicode', values: ['Grüße', '日本語', '🙂', 'e\u0301'] },
  {
    datatype: 'BYTES',
    kind: 'escapes',
    values: ['"quoted"', 'back\\slash', 'line\nfeed', '\t', '/'],
  },
  { datatype: 'BYTES', kind: 'long', values: ['x'.repeat(70_000), 'y'] },
];

function wholeRows(datatype: IdentityDatatype, least: bigint, greatest: bigint): readonly Row[] {
  return [{ datatype, kind: 'limits', values: [0n, 1n, least, greatest] }];
}

function floatRows(datatype: 'FP16' | 'FP32' | 'FP64'): readonly Row[] {
  const half = datatype === 'FP16' ? { jsonMayRefuse: HALF_IN_JSON } : {};
  const notJson = { jsonMayRefuse: datatype === 'FP16' ? HALF_IN_JSON : NAN_IN_JSON };
  return [
    { datatype, kind: 'ordinary', values: [0, 1, -1, 0.5, -2.25, 1_024], ...half },
    {
      datatype,
      kind: 'limits',
      values: [GREATEST[datatype], -GREATEST[datatype]],
      ...half,
    },
    { datatype, kind: 'denormal', values: [LEAST[datatype], -LEAST[datatype]], ...half },
    { datatype, kind: 'minus-zero', level: 'recommended', values: [-0, 0, -0], ...half },
    { datatype, kind: 'nan', values: [1, nan, 2], ...notJson },
    { datatype, kind: 'infinity', values: [infinity, 0, -infinity], ...notJson },
  ];
}

export function valueCases(): readonly Case[] {
  return ROWS.map(({ datatype, kind, values, level, jsonMayRefuse }) => {
    const line = { datatype, shape: [1, values.length], values };
    return inferenceCase({
      id: `inference.${datatype.toLowerCase()}.${kind}`,
      claim: `${datatype} comes back as it went (${kind})`,
      reference: `${REST} and ${GRPC}, "Tensor Data Types"`,
      call: { model: identityModel(datatype), inputs: [tensor('INPUT0', line)] },
      outputs: [tensor('OUTPUT0', line)],
      ...(level && { level }),
      ...(jsonMayRefuse !== undefined && { jsonMayRefuse }),
    });
  });
}
