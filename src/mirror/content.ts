import { crc32 } from 'node:zlib';
import type { InferRequest } from '../core/infer.ts';
import type { Tensor } from '../core/tensor.ts';

/** Larger inputs are hashed in parts, evenly spread: so many bytes of each, at most, which take about 50 microseconds. */
const HASHED_BYTES_MAX = 65_536;
const PARTS = 16;

/**
 * What two requests with the same inputs have in common: a hash of their bytes and their length. Undefined for a request whose
 * unit comes again anyway. Two large inputs that differ outside the hashed parts alone are taken for the same.
 */
export function contentOf({
  id,
  unit,
  inputs,
}: Pick<InferRequest, 'id' | 'unit' | 'inputs'>): string | undefined {
  if (unit !== id) return undefined;
  let [hash, bytes] = [0, 0];
  for (const input of inputs) {
    hash = crc32(`${input.name} ${input.dtype} ${input.shape}`, hash);
    hash = hashOf(input, hash);
    bytes += input.data.byteLength;
  }
  return `${hash}:${bytes}`;
}

function hashOf({ data }: Tensor, start: number): number {
  if (data.byteLength <= HASHED_BYTES_MAX) return crc32(data, start);
  const part = HASHED_BYTES_MAX / PARTS;
  const apart = (data.byteLength - part) / (PARTS - 1);
  let hash = start;
  for (let at = 0; at < PARTS; at += 1) {
    const from = Math.floor(at * apart);
    hash = crc32(data.subarray(from, from + part), hash);
  }
  return hash;
}
