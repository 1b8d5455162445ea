import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Catalog } from '../models/catalog.ts';
import { AssetModel } from '../pipeline/asset-model.ts';
import { openImageCodec } from '../pipeline/codec.ts';
import { CODEC_LIMITS } from './limits.ts';
import { type Release, releasing } from './release.ts';

/** What the routes of the Model Asset eXchange are made of. */
export type ModelAsset = {
  readonly model: AssetModel;
  readonly cors: boolean;
  /** Why the model cannot be served so, once it has been taken up; undefined: it can. */
  readonly problem: () => string | undefined;
};

export type ModelAssetParts = {
  readonly config: Config;
  /** The folders of the repository. */
  readonly names: readonly string[];
  readonly catalog: Pick<Catalog, 'entry'>;
  readonly gateway: Pick<Gateway, 'version'>;
  readonly clock: Clock;
};

/** The model that `server.max` asks for, if it does. Rejects where there is no folder of that name. */
export async function openModelAsset(
  { config, names, catalog, gateway, clock }: ModelAssetParts,
  release: Release,
): Promise<ModelAsset | undefined> {
  const { max } = config.server;
  if (max === undefined) return undefined;
  const { model: name, cors } = max;
  if (!names.includes(name)) {
    const expected = names.join(', ') || 'it has none';
    throw new Error(
      `server.max.model: expected a model of the repository (${expected}), found '${name}'`,
    );
  }
  const queueBytesMax = 4 * config.limits.bodyBytesMax;
  const codec = await openImageCodec({ ...CODEC_LIMITS, queueBytesMax, clock });
  release.push(releasing('the image decoder', () => codec.close()));
  const model = new AssetModel({
    name,
    versionOf: (named) => gateway.version(name, named).version,
    packages: () => catalog.entry(name)?.packages ?? new Map(),
    codec,
  });
  return { model, cors, problem: () => problemOf(model) };
}

/** Its stable version has to say how an image becomes its input. */
function problemOf(model: AssetModel): string | undefined {
  try {
    model.labels();
    return undefined;
  } catch (error) {
    return `server.max.model: ${messageOf(error)}: its addresses refuse every request`;
  }
}
