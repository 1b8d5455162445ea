import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf, ServeError } from '../core/errors.ts';
import type { InferResponse } from '../core/infer.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Catalog } from '../models/catalog.ts';
import { type ImageCodec, openImageCodec } from '../pipeline/codec.ts';
import { type ImageSpec, imageShape, imageSpecOf } from '../pipeline/image-spec.ts';
import { type RankingSpec, rankClasses, rankingSpecOf } from '../pipeline/rank-classes.ts';
import type { MaxMetadata, MaxModel, MaxPrediction, Patience } from '../protocol/max/model.ts';
import type { Package } from '../repository/package.ts';
import { type Release, releasing } from './release.ts';

/** What the routes of the Model Asset eXchange are made of. */
export type Max = {
  readonly model: MaxModel;
  readonly cors: boolean;
  /** Why the model cannot be served so, once it has been taken up; undefined: it can. */
  readonly problem: () => string | undefined;
};

export type MaxParts = {
  readonly config: Config;
  /** The folders of the repository. */
  readonly names: readonly string[];
  readonly catalog: Catalog;
  readonly gateway: Gateway;
  readonly clock: Clock;
};

/** What images may cost. */
const CODEC_LIMITS = {
  /** Two of libuv's four threads, which the whole process shares, stay free for files. */
  threads: 2,
  queueMax: 64,
  /** A photograph of the largest usual cameras; some 150 MiB while it is decoded. */
  pixelsMax: 50_000_000,
  secondsMax: 10,
} as const;

/** Tasks that give one row of class scores. */
const TASKS: readonly (string | undefined)[] = [
  undefined,
  'classification',
  'image-classification',
];

/** The model that the configuration wants served so, if it wants one. Rejects where there is no folder of that name. */
export async function openMax(
  { config, names, catalog, gateway, clock }: MaxParts,
  release: Release,
): Promise<Max | undefined> {
  const { max } = config.server;
  if (max === undefined) return undefined;
  if (!names.includes(max.model)) {
    const expected = names.join(', ') || 'it has none';
    throw new Error(
      `server.max.model: expected a model of the repository (${expected}), found '${max.model}'`,
    );
  }
  const queueBytesMax = 4 * config.limits.bodyBytesMax;
  const codec = await openImageCodec({ ...CODEC_LIMITS, queueBytesMax, clock });
  release.push(releasing('the image decoder', () => codec.close()));
  const model = new PackagedMaxModel(max.model, { catalog, gateway, codec });
  return { model, cors: max.cors, problem: () => problemOf(model) };
}

/** Its stable version has to say how an image becomes its input. */
function problemOf(model: MaxModel): string | undefined {
  try {
    model.labels();
    return undefined;
  } catch (error) {
    return `server.max.model: ${messageOf(error)}: its addresses refuse every request`;
  }
}

type Parts = Pick<MaxParts, 'catalog' | 'gateway'> & { readonly codec: ImageCodec };

/** How one version takes images and names classes. */
type Reading = {
  readonly image: ImageSpec;
  readonly ranking: RankingSpec;
  readonly labels: readonly string[];
};

/**
 * A model as its packages say. An image is prepared as stable asks for, since which version answers is
 * chosen later; an answer is explained as the version says that gave it.
 */
class PackagedMaxModel implements MaxModel {
  readonly name: string;
  readonly #parts: Parts;
  readonly #readings = new WeakMap<Package, Reading>();

  constructor(name: string, parts: Parts) {
    this.name = name;
    this.#parts = parts;
  }

  metadata(): MaxMetadata {
    const { model, version, description, licence, provenance, digest } = this.#package();
    return {
      id: model,
      name: model,
      description: description ?? `${model} version ${version}`,
      type: 'Image Classification',
      source: String(provenance['source'] ?? `sha256:${digest}`),
      license: licence ?? null,
    };
  }

  labels(): readonly string[] {
    return this.#readingOf(this.#package()).labels;
  }

  async prepare(bytes: Uint8Array, patience: Patience): Promise<readonly Tensor[]> {
    const { image } = this.#readingOf(this.#package());
    const data = await this.#parts.codec.decode(bytes, image, patience);
    return [{ name: image.input, dtype: image.dtype, shape: imageShape(image), data }];
  }

  explainer(): (response: InferResponse) => readonly MaxPrediction[] {
    const entry = this.#parts.catalog.entry(this.name);
    return ({ version, outputs }) => {
      // What stands in for another arm may have come after.
      const packaged = entry?.packages.get(version) ?? this.#package(version);
      return ranked(outputs, this.#readingOf(packaged));
    };
  }

  /** Of a version, or of the one that is stable now. */
  #package(named?: string): Package {
    const { gateway, catalog } = this.#parts;
    const { version } = gateway.version(this.name, named);
    const found = catalog.find({ model: this.name, version });
    if (found !== undefined) return found;
    throw new ServeError(
      'version_not_found',
      `'${this.name}' has no version '${version}' any more`,
    );
  }

  #readingOf(packaged: Package): Reading {
    const known = this.#readings.get(packaged) ?? readingOf(packaged);
    this.#readings.set(packaged, known);
    return known;
  }
}

function ranked(
  outputs: readonly Tensor[],
  { ranking, labels }: Reading,
): readonly MaxPrediction[] {
  const scores = outputs.find(({ name }) => name === ranking.output);
  if (scores === undefined) {
    throw new ServeError('runtime_failed', `expected an output '${ranking.output}', found none`);
  }
  return rankClasses(scores, ranking).map(({ index, probability }) => ({
    label_id: String(index),
    label: labels[index] ?? String(index),
    probability,
  }));
}

function readingOf(packaged: Package): Reading {
  const { model, version, task, preprocess, postprocess, signature } = packaged;
  try {
    if (!TASKS.includes(task)) throw new Error(`expected task classification, found ${task}`);
    if (preprocess === undefined) throw new Error('expected preprocess.image, found none');
    const image = imageSpecOf(preprocess.image, signature);
    const ranking = rankingSpecOf(postprocess ?? {}, signature);
    return { image, ranking, labels: labelsOf(packaged, ranking.output) };
  } catch (cause) {
    throw new ServeError(
      'unsupported',
      `'${model}' version '${version}', model.yaml: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Classes without names are called by their places. */
function labelsOf({ labelsByOutput, signature }: Package, output: string): readonly string[] {
  const labels = labelsByOutput.get(output);
  if (labels !== undefined) return labels;
  const classes = signature.outputs.find(({ name }) => name === output)?.shape.at(-1) ?? -1;
  if (classes < 1) throw new Error('expected labels, found none, nor how many classes there are');
  return Array.from({ length: classes }, (_, index) => String(index));
}
