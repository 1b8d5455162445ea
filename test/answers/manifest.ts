import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ComparatorSetting } from '../../src/core/comparator-setting.ts';
import type { Tensor } from '../../src/core/tensor.ts';

/** What make.py writes of one model. */
export type Manifest = {
  readonly name: string;
  /** Default tolerances have to fit the models of one half, and are verified on the other. */
  readonly half: 'choose' | 'verify';
  /** What kind of model it is, for people. */
  readonly kind: string;
  readonly task: string;
  /** Where it comes from, with its version, and under which licence. */
  readonly source: string;
  readonly licence: string;
  readonly compare?: ComparatorSetting;
  /** Class names. */
  readonly labels?: readonly string[];
  readonly inputs: readonly Omit<Tensor, 'data'>[];
  readonly requests: number;
  /** What each request should be answered. */
  readonly truth?: readonly unknown[];
  readonly attribute?: { readonly name: string; readonly values: readonly string[] };
  readonly changes: readonly Change[];
};

/** One candidate, where it is not as stable is. */
export type Change = {
  readonly name: string;
  readonly expected: 'promoted' | 'rolledBack';
  readonly intent?: 'equivalent' | 'improve';
  readonly file?: string;
  /** The set of inputs that it is given, as with another preprocessing. */
  readonly set?: string;
  readonly threads?: number;
  readonly optimisation?: 'disabled' | 'basic' | 'extended' | 'all';
};

export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as Manifest;
}

/** Each request's inputs, from one file of rows per input. */
export async function readRequests(
  folder: string,
  { inputs, requests }: Manifest,
  set: string,
): Promise<readonly (readonly Tensor[])[]> {
  const files = await Promise.all(
    inputs.map((_, place) => readFile(path.join(folder, `${set}.${place}.bin`))),
  );
  return Array.from({ length: requests }, (_, at) =>
    inputs.map((input, place) => ({ ...input, data: rowOf(files[place], at, requests) })),
  );
}

/** A copy, as the file's own bytes need not be aligned. */
function rowOf(file: Uint8Array | undefined, at: number, rows: number): Uint8Array {
  if (file === undefined || file.byteLength % rows !== 0)
    throw new Error(`expected a file of ${rows} rows, found ${file?.byteLength} bytes`);
  const size = file.byteLength / rows;
  return Uint8Array.from(file.subarray(at * size, (at + 1) * size));
}
