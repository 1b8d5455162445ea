import type { Dtype } from './tensor.ts';

/** How the bytes of a model's file are changed before the runtime reads them. Plain data: it crosses process borders. */
export type ModelEdits = {
  /** In the order of the file, none within another. */
  readonly splices: readonly Splice[];
  /** What inputs hold that a request leaves out. */
  readonly defaults: readonly DefaultInput[];
};

/** The bytes from `start` up to `end` go, and these come in their place. */
export type Splice = { readonly start: number; readonly end: number; readonly base64: string };

/** A tensor, its bytes in base64. */
export type DefaultInput = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly base64: string;
};

/** A copy of the bytes with all splices made. */
export function spliced(bytes: Uint8Array, splices: readonly Splice[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, base64 } of splices) {
    pieces.push(bytes.subarray(at, start), Buffer.from(base64, 'base64'));
    at = end;
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
}
