/** The classification extension: class scores as `score:index[:label]`. */
import { type Bench, type Case, type Finding, fail, pass, type Wire } from '../case.ts';
import { refusalCase } from '../kinds/refusal.ts';
import { LABELS, MODEL } from '../model-names.ts';
import { CLASSIFICATION } from '../references.ts';
import { unpack } from '../wire/datatype.ts';
import {
  describeCall,
  describeReply,
  INFER_WIRES,
  type InferCall,
  type InferWire,
} from '../wire/infer-call.ts';
import { type KitTensor, tensor } from '../wire/tensor.ts';

const extension = 'classification';

type Row = {
  readonly id: string;
  readonly claim: string;
  readonly classes: bigint;
  readonly rows: readonly (readonly number[])[];
  /** Of each row: indices of the classes, the best first. */
  readonly best: readonly (readonly number[])[];
};

const ROWS: readonly Row[] = [
  {
    ...{ id: 'top-1', claim: 'the best class of one row', classes: 1n },
    rows: [[0.25, 0.5, 0.125]],
    best: [[1]],
  },
  {
    ...{ id: 'top-2', claim: 'the best classes in order', classes: 2n },
    rows: [[0.25, -0.5, 1.5]],
    best: [[2, 0]],
  },
  {
    ...{ id: 'rows', claim: 'every row has its own classes', classes: 2n },
    rows: [
      [1, 2, 3],
      [3, 2, 1],
    ],
    best: [
      [2, 1],
      [0, 1],
    ],
  },
  {
    ...{ id: 'more-than-there-are', claim: 'more classes than there are give all', classes: 9n },
    rows: [[3, 1, 2]],
    best: [[0, 2, 1]],
  },
];

export function classificationCases(): readonly Case[] {
  return [
    ...ROWS.map(
      (row): Case => ({
        ...{
          id: `classification.${row.id}`,
          section: 'classification',
          level: 'extension',
          extension,
        },
        claim: row.claim,
        reference: CLASSIFICATION,
        models: [MODEL.labels],
        wires: INFER_WIRES,
        run: (bench, wire) => run(bench, wire, row),
      }),
    ),
    ...[0n, -1n].map((classes) =>
      refusalCase({
        ...{ id: `classification.refused.${classes}`, section: 'classification', extension },
        ...{ level: 'extension', http: [400], grpc: ['INVALID_ARGUMENT'] },
        claim: `${classes} classes are refused`,
        reference: CLASSIFICATION,
        call: callOf([[1, 2, 3]], classes),
      }),
    ),
  ];
}

function callOf(rows: Row['rows'], classification: bigint): InferCall {
  const line = { datatype: 'FP32', shape: [rows.length, 3], values: rows.flat() } as const;
  return {
    model: MODEL.labels,
    inputs: [tensor('INPUT0', line)],
    outputs: [{ name: 'OUTPUT0', parameters: { classification } }],
  };
}

async function run({ infer }: Bench, wire: Wire, { rows, classes, best }: Row): Promise<Finding> {
  const call = callOf(rows, classes);
  const request = `${describeCall(call)}, classification ${classes}`;
  const reply = await infer[wire as InferWire](call);
  const wanted = best.flatMap((indices, row) =>
    indices.map((index) => ({ score: rows[row]?.[index] ?? 0, index, label: LABELS[index] ?? '' })),
  );
  const shape = [rows.length, best[0]?.length ?? 0];
  const expected = `OUTPUT0 BYTES[${shape}] ${wanted.map(({ score, index, label }) => `${score}:${index}:${label}`).join(', ')}`;
  if (reply.kind !== 'answer') return fail({ request, expected, found: describeReply(reply) });
  const [output] = reply.answer.outputs;
  if (output?.datatype !== 'BYTES' || String(output.shape) !== String(shape)) {
    return fail({ request, expected, found: describeReply(reply) });
  }
  const found = textsOf(output);
  const isRight = wanted.every(({ score, index, label }, at) => {
    const [value, ...rest] = found[at]?.split(':') ?? [];
    return Number(value) === score && rest.join(':') === `${index}:${label}`;
  });
  return isRight ? pass() : fail({ request, expected, found: found.join(', ') });
}

function textsOf({ datatype, bytes }: KitTensor): readonly string[] {
  return unpack(datatype, bytes).map((value) => Buffer.from(value as Uint8Array).toString('utf8'));
}
