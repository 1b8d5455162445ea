import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Pair } from '../../src/core/outcome.ts';
import { Catalog } from '../../src/models/catalog.ts';
import { type CatalogEntry, catalogEntry } from '../../src/models/catalog-entry.ts';
import type { Package } from '../../src/repository/package.ts';
import { declaredIn } from '../../src/repository/triton-declared.ts';
import { aTensor } from '../support/a-tensor.ts';

/** A classifier of three classes. */
export function aPackage(version: string, fields: Partial<Package> = {}): Package {
  const scores = { name: 'scores', dtype: 'FP32', shape: [-1, 3] } as const;
  const files = { digest: `digest of ${version}`, bytes: 1_000, stamp: `stamp of ${version}` };
  const signature: Package['signature'] = {
    inputs: [{ name: 'image', dtype: 'FP32', shape: [-1, 4] }],
    outputs: [scores],
  };
  const rows = { kind: 'apart' } as const;
  return {
    model: 'fashion',
    version,
    directory: `/models/fashion/${version}`,
    ...files,
    models: [{ name: 'fashion', file: `/models/fashion/${version}/model.onnx` }],
    modelFile: 'model.onnx',
    inspected: {
      signature,
      rows,
      labels: undefined,
      edits: undefined,
      weights: `weights of ${version}`,
    },
    signature,
    reshapes: [],
    rows,
    task: 'classification',
    description: undefined,
    labels: ['shirt', 'coat', 'bag'],
    labelsByOutput: new Map(),
    settings: {
      baseConfig: { file: 'config.pbtxt', section: {} },
      ignored: [],
      declared: declaredIn({}),
    },
    warmups: [],
    preprocess: undefined,
    postprocess: undefined,
    compare: undefined,
    licence: undefined,
    provenance: {},
    ...fields,
  };
}

export function anEntry(config: Config, packages: readonly Package[]): CatalogEntry {
  return catalogEntry(config, {
    model: 'fashion',
    root: '/models',
    packages,
    problems: [],
    aside: [],
  });
}

/** A catalogue of one model with three versions, the newest of which does not come last. */
export function aCatalog(config: Config): Catalog {
  const packages = ['9', '10', '2'].map((version) => aPackage(version));
  return new Catalog(config, [anEntry(config, packages)]);
}

/** Reads a configuration with these models, as YAML. */
export async function aModelsConfig(folder: string, models: string): Promise<Config> {
  const file = join(folder, 'understudy.yaml');
  await writeFile(file, `apiVersion: understudy/v1\nmodels: ${models}\n`);
  return loadConfig(file);
}

/** Stable says class `stable`, the candidate class `candidate`. */
export function aPair(requestId: string, said: { stable: number; candidate: number }): Pair {
  return {
    requestId,
    unit: requestId,
    attributes: { tone: 'dark' },
    stable: saying(said.stable),
    candidate: saying(said.candidate),
    twin: undefined,
    shadowRun: undefined,
  };
}

function saying(top: number): Pair['stable'] {
  const scores = [0, 1, 2].map((place) => (place === top ? 0.8 : 0.1));
  return { kind: 'answer', outputs: [aTensor(scores, { name: 'scores' })], computeMs: 1 };
}
