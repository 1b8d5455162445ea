import t from 'tap';
import { AssetModel, type AssetPackage } from '../../src/pipeline/asset-model.ts';
import { aPackage } from '../models/builders.ts';
import { aTensor } from '../support/a-tensor.ts';

const image = { name: 'image', dtype: 'FP32', shape: [-1, 1, 28, 28] } as const;

function calling(version: string, labels: readonly string[]): ReadonlyMap<string, AssetPackage> {
  const signature = { ...aPackage('1').signature, inputs: [image] };
  const labelsByOutput = new Map([['scores', labels]]);
  const fields = { signature, labelsByOutput, preprocess: { image: {} } };
  return new Map([[version, aPackage(version, fields)]]);
}

function aModel(packages: () => ReadonlyMap<string, AssetPackage>): AssetModel {
  return new AssetModel({
    name: 'fashion',
    versionOf: (named) => named ?? '1',
    packages,
    codec: { decode: async () => new Uint8Array(28 * 28 * 4) },
  });
}

t.test('an answer is explained by the package that gave it, even after another load', async (t) => {
  let packages = calling('1', ['a', 'b', 'c']);
  const explain = aModel(() => packages).explainer();
  const best = (): string | undefined => {
    const outputs = [aTensor([0, 1, 0], { name: 'scores' })];
    const timing = { queueMs: 0, computeMs: 0 };
    const batch = { id: 1, rows: 1 };
    return explain({ model: 'fashion', version: '1', outputs, timing, batch })[0]?.label;
  };
  t.equal(best(), 'b');
  packages = calling('1', ['x', 'y', 'z']);
  t.equal(best(), 'b', 'its version has another build');
  packages = calling('2', ['k', 'l', 'm']);
  t.equal(best(), 'b', 'its version is gone');
});

t.test('an image is prepared as the stable version asks for', async (t) => {
  const never = { signal: new AbortController().signal, deadlineMs: 0 };
  const [tensor] = await aModel(() => calling('1', ['a'])).prepare(new Uint8Array(), never);
  t.match(tensor, { name: 'image', dtype: 'FP32', shape: [1, 1, 28, 28] });
});

t.test('a model whose version is gone refuses with the name of the version', async (t) => {
  t.throws(() => aModel(() => calling('2', ['a'])).labels(), {
    code: 'version_not_found',
    message: "'fashion' has no version '1' any more",
  });
});
