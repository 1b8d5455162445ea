import type { InputsRequest } from '../../load/nouns/bench-request.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import type { LoadOptions } from './load-options.ts';
import { readWhole, wrongOption } from './values.ts';

/** Where the inputs come from, as `--input-data`, `--images` or neither say. */
export function readInputsOption(options: LoadOptions): InputsRequest {
  const { inputData, images, imageRange } = options;
  const shapes = readShapes(options.shape ?? []);
  const samples = readWhole('samples', options.samples, { min: 1, max: 1_000_000 });
  const batch = readWhole('batch', options.batch, { min: 1, max: 1_000_000 });
  const scale = readRange(imageRange);
  if (inputData !== undefined && images !== undefined)
    throw new CommandError(EXIT.usage, 'expected --input-data or --images, found both');
  if (inputData !== undefined) return { kind: 'file', file: inputData, shapes };
  if (images !== undefined) return { kind: 'images', folder: images, samples, scale, shapes };
  return { kind: 'synthetic', samples, batch, shapes };
}

function readRange(text: string | undefined): '0..1' | '0..255' | undefined {
  if (text === undefined || text === '0..1' || text === '0..255') return text;
  throw wrongOption('image-range', '0..1 or 0..255', text);
}

/** `image:3,224,224`. A name may have colons in it, the numbers have none. */
function readShapes(texts: readonly string[]): InputsRequest['shapes'] {
  const pairs = texts.map((text): [string, readonly number[]] => {
    const [, name, dims] = /^(.+):(\d{1,9}(?:,\d{1,9})*)$/.exec(text) ?? [];
    if (name === undefined || dims === undefined)
      throw wrongOption('shape', 'a name and its dimensions, as in image:3,224,224', text);
    return [name, dims.split(',').map(Number)];
  });
  return Object.fromEntries(pairs);
}
