import { messageOf } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import type { Signature } from '../../core/tensor.ts';
import type { Sample } from '../../load/nouns/sample.ts';
import { readDataFile } from '../../load/requests/data-file.ts';
import type { PixelOptions } from '../../load/requests/image-form.ts';
import { imageSamples } from '../../load/requests/images.ts';
import type { Shapes } from '../../load/requests/input-shape.ts';
import { syntheticSamples } from '../../load/requests/synthetic.ts';
import { openImageDecoder } from '../../pipeline/image-decoder.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import type { LoadOptions } from './load-options.ts';
import { readWhole, wrongOption } from './values.ts';

/** The requests' inputs, and in a few words where they came from. */
export type Inputs = { readonly samples: readonly Sample[]; readonly from: string };

/** Reads or makes the inputs that the options ask for, as the model takes them. */
export async function readInputs(
  options: LoadOptions,
  signature: Signature,
  seed: number,
): Promise<Inputs> {
  try {
    return await inputsOf(options, signature, seed);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(EXIT.usage, messageOf(error), { cause: error });
  }
}

async function inputsOf(options: LoadOptions, signature: Signature, seed: number): Promise<Inputs> {
  const { inputData, images } = options;
  const shapes = readShapes(options.shape ?? []);
  const count = readWhole('samples', options.samples, { min: 1, max: 1_000_000 });
  if (inputData !== undefined && images !== undefined)
    throw new CommandError(EXIT.usage, 'expected --input-data or --images, found both');
  if (inputData !== undefined) {
    const samples = await readDataFile(inputData, signature, { shapes });
    return { samples, from: `${inputData} (${samples.length})` };
  }
  if (images !== undefined) {
    const samples = await samplesOfImages(options, signature, { shapes, count });
    return { samples, from: `images of ${images} (${samples.length})` };
  }
  const batch = readWhole('batch', options.batch, { min: 1, max: 1_000_000 });
  const random = seededRandom(seed);
  const samples = syntheticSamples(signature, { count, batch, shapes, random });
  return { samples, from: `synthetic (${count}, ${batch === 1 ? '1 row' : `${batch} rows`} each)` };
}

async function samplesOfImages(
  { images = '', imageRange }: LoadOptions,
  signature: Signature,
  { shapes, count }: { readonly shapes: Shapes; readonly count: number },
): Promise<readonly Sample[]> {
  const scale = rangeOf(imageRange);
  const decoder = await openImageDecoder();
  try {
    const { decode } = decoder;
    const pixels = { scale, countMax: count, shapes, decode };
    return await imageSamples(images, signature, pixels);
  } finally {
    await decoder.close();
  }
}

function rangeOf(text: string | undefined): PixelOptions['scale'] {
  if (text === undefined || text === '0..1' || text === '0..255') return text;
  throw wrongOption('image-range', '0..1 or 0..255', text);
}

/** `image:3,224,224`. A name may have colons in it, the numbers have none. */
function readShapes(texts: readonly string[]): Shapes {
  const pairs = texts.map((text): [string, readonly number[]] => {
    const [, name, dims] = /^(.+):(\d{1,9}(?:,\d{1,9})*)$/.exec(text) ?? [];
    if (name === undefined || dims === undefined)
      throw wrongOption('shape', 'a name and its dimensions, as in image:3,224,224', text);
    return [name, dims.split(',').map(Number)];
  });
  return Object.fromEntries(pairs);
}
