import type { Datatype } from './wire/datatype.ts';

/** The kit's models by what they are for. `models.ts` writes them. */
export const MODEL = {
  /** INPUT0, INPUT1 INT32 [-1,16] -> OUTPUT0 their sum, OUTPUT1 their difference. */
  addSub: 'oip_add_sub',
  /** INPUT0 FP32 [2,3] -> OUTPUT0 [3,2], transposed. */
  fixed: 'oip_fixed',
  /** INPUT0 FP32 [2,-1,-1] -> OUTPUT0, its last two dimensions swapped. */
  dynamic: 'oip_dynamic',
  /** INPUT0 FP32 [] -> OUTPUT0 FP32 [], negated. */
  scalar: 'oip_scalar',
  /** INPUT0 FP32 [-1,4] -> COPY FP32, WHOLE INT64, POSITIVE BOOL [-1,4] and TOTAL FP32 [-1,1]. */
  several: 'oip_several',
  /** INPUT0, INPUT1 BYTES [-1,-1] -> OUTPUT0, joined along the second dimension. */
  join: 'oip_join',
  /** DATA FP32 [6], SHAPE INT64 [2] -> OUTPUT0; fails while it runs where the shape does not fit. */
  reshape: 'oip_reshape',
  /** INPUT0 FP32 [-1,3] -> OUTPUT0, the same, with labels. */
  labels: 'oip_labels',
  /** INPUT0 FP32 [2] -> OUTPUT0, plus the version's number; versions 1 and 2. */
  versions: 'oip_versions',
  /** INPUT0 FP32 [2] -> OUTPUT0 negated. It is loaded and unloaded. */
  loadable: 'oip_loadable',
} as const;

/** Of the classes of `MODEL.labels`. */
export const LABELS = ['ankle boot', 'bag', 'coat'] as const;

/** The most rows of a request to a batchable model of the kit. */
export const ROWS_MAX = 8;

/** Every datatype that ONNX Runtime has an identity for. */
export const IDENTITY_DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const satisfies readonly Datatype[];

/** INPUT0 of this datatype [-1,-1] -> OUTPUT0, the same. */
export function identityModel(datatype: Datatype): string {
  return `oip_identity_${datatype.toLowerCase()}`;
}
