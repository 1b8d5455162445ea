import type { Tensor } from '../core/tensor.ts';
import { elementPerRow, textOf } from './elements.ts';

/** The text of each row of [N] or [N,1], in normal form C: what looks the same is the same. White space stays as it is. */
export function textPerRow(tensor: Tensor): readonly string[] | undefined {
  if (tensor.dtype !== 'BYTES') return undefined;
  return elementPerRow(tensor)?.map((element) => textOf(element, 'BYTES').normalize('NFC'));
}
