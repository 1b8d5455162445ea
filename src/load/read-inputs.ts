import { seededRandom } from '../core/random.ts';
import type { Signature } from '../core/tensor.ts';
import { counted } from '../core/text.ts';
import type { InputsRequest } from './nouns/bench-request.ts';
import type { Sample } from './nouns/sample.ts';
import { readDataFile } from './requests/data-file.ts';
import { type DecodeImage, imageSamples } from './requests/images.ts';
import { syntheticSamples } from './requests/synthetic.ts';

/** The requests' inputs, and in a few words where they came from. */
export type Inputs = { readonly samples: readonly Sample[]; readonly from: string };

/** Turns encoded images into tensors; closed once all are decoded. */
export type ImageDecoder = { readonly decode: DecodeImage; readonly close: () => Promise<void> };

/** Reads or makes inputs as the model takes them. Throws an Error that says why that cannot be done. */
export async function readInputs(
  request: InputsRequest,
  signature: Signature,
  tools: {
    readonly seed: number;
    readonly openImageDecoder?: (() => Promise<ImageDecoder>) | undefined;
  },
): Promise<Inputs> {
  const { shapes } = request;
  switch (request.kind) {
    case 'synthetic': {
      const { samples: count, batch } = request;
      const random = seededRandom(tools.seed);
      const samples = syntheticSamples(signature, { count, batch, shapes, random });
      return { samples, from: `synthetic (${count}, ${counted(batch, 'row')} each)` };
    }
    case 'file': {
      const samples = await readDataFile(request.file, signature, { shapes });
      return { samples, from: `${request.file} (${samples.length})` };
    }
    case 'images': {
      const samples = await samplesOfImages(request, signature, tools.openImageDecoder);
      return { samples, from: `images of ${request.folder} (${samples.length})` };
    }
  }
}

async function samplesOfImages(
  { folder, samples: countMax, scale, shapes }: InputsRequest & { kind: 'images' },
  signature: Signature,
  openDecoder: (() => Promise<ImageDecoder>) | undefined,
): Promise<readonly Sample[]> {
  if (openDecoder === undefined)
    throw new Error('expected a decoder for inputs of images, found none');
  const decoder = await openDecoder();
  try {
    const { decode } = decoder;
    return await imageSamples(folder, signature, { scale, countMax, shapes, decode });
  } finally {
    await decoder.close();
  }
}
