import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { openModelAsset } from '../../src/app/model-asset.ts';
import { type App, startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Catalog } from '../../src/models/catalog.ts';
import type { ModelAssetPrediction } from '../../src/protocol/max/model.ts';
import type { Package } from '../../src/repository/package.ts';
import { aGateway } from '../gateway/builders.ts';
import { aPackage } from '../models/builders.ts';
import { projectRoot } from '../support/project-root.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'understudy-max-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

/** The models that ship, one of them served so. */
async function aConfig(max: string): Promise<Config> {
  const file = path.join(folder, 'understudy.yaml');
  await writeFile(
    file,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0, max: ${max} }
repository: ${path.join(projectRoot, 'models')}
models: { fashion: { queue: { deadlineMs: 20000 }, route: { stable: "1" } } }
`,
  );
  return loadConfig(file);
}

async function start(max: string): Promise<App> {
  const config = await aConfig(max);
  const app = await startApp({ config, log: () => undefined, feedbackSecret: undefined });
  await app.started;
  return app;
}

type Answer = { readonly status: string; readonly predictions: readonly ModelAssetPrediction[] };

async function predict(url: string, image: Uint8Array<ArrayBuffer>, field = 'image') {
  const form = new FormData();
  form.append(field, new Blob([image]), 'image.png');
  const response = await fetch(`${url}/model/predict`, { method: 'POST', body: form });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** What the tests of a model of the exchange ask of it, asked of the gateway with the model that ships. */
t.test('an old client finds its model: about it, its API, its answers, its refusals', async (t) => {
  const app = await start('{ model: fashion }');
  t.teardown(() => app.close());
  const url = `http://127.0.0.1:${app.httpPort}`;
  const boot = new Uint8Array(
    await readFile(path.join(projectRoot, 'docs/examples/ankle-boot.png')),
  );

  const swagger = await fetch(`${url}/swagger.json`);
  t.equal(swagger.headers.get('content-type'), 'application/json');
  t.match(await swagger.json(), { swagger: '2.0', info: { title: 'fashion' } });

  const metadata = await (await fetch(`${url}/model/metadata`)).json();
  t.match(metadata, { id: 'fashion', name: 'fashion', type: 'Image Classification' });
  t.match(metadata, { description: /kind of garment/, source: /\w/, license: 'Apache-2.0' });

  const labels = (await (await fetch(`${url}/model/labels`)).json()) as { count: number };
  t.match(labels, { count: 10, labels: [{ id: '0', name: 'T-shirt/top' }] });

  for (const field of ['image', 'file']) {
    const { status, body, headers } = await predict(url, boot, field);
    const { predictions, ...rest } = body as Answer;
    t.same([status, rest], [200, { status: 'ok' }]);
    t.equal(headers.get('x-understudy-version'), '1');
    t.equal(predictions.length, 5);
    const [first] = predictions;
    t.match(first, { label_id: '9', label: 'Ankle boot' });
    t.ok(first && first.probability > 0.74 && first.probability < 0.76, `${first?.probability}`);
    const sum = predictions.reduce((total, { probability }) => total + probability, 0);
    t.ok(sum > 0.9 && sum <= 1.000001, `${sum}`);
  }

  // A photograph of another size and format shows the same thing.
  const photograph = await sharp(boot).resize(640, 640, { kernel: 'cubic' }).jpeg().toBuffer();
  const { body } = await predict(url, new Uint8Array(photograph));
  t.match(body, { predictions: [{ label: 'Ankle boot' }] });

  const text = await predict(
    url,
    new Uint8Array(await readFile(path.join(projectRoot, 'README.md'))),
  );
  t.equal(text.status, 400);
  t.match(text.body, { message: /^image: expected JPEG, PNG/ });
  const broken = await predict(url, boot.slice(0, 200));
  t.equal(broken.status, 400);
  t.match(await predict(url, boot), { status: 200 }, 'the next one is answered');
});

t.test('a missing model is reported at the start, with the existing ones', async (t) => {
  await t.rejects(start('{ model: fashoin }'), {
    message: "server.max.model: expected a model of the repository (fashion), found 'fashoin'",
  });
});

t.test('a package without image preprocessing is reported', async (t) => {
  const image = { name: 'image', dtype: 'FP32', shape: [-1, 1, 28, 28] } as const;
  const signature = { ...aPackage('1').signature, inputs: [image] };
  const config = { ...(await aConfig('{ model: m }')) };
  const told = async (given: Partial<Package>): Promise<string> => {
    const fields = { model: 'm', signature, labelsByOutput: new Map(), ...given };
    const packages = new Map([['1', aPackage('1', fields)]]);
    const entry = {
      model: 'm',
      packages,
      problems: [],
      root: '/models',
      changes: [],
      aside: [],
      builds: new Map(),
    };
    const catalog = new Catalog(config, [
      { ...entry, settings: new Catalog(config, []).settings('m') },
    ]);
    const release: (() => Promise<unknown>)[] = [];
    const parts = { config, catalog, names: ['m'], gateway: aGateway(), clock: systemClock };
    const max = await openModelAsset(parts, release);
    const answer = max?.problem() ?? JSON.stringify(max?.model.labels());
    for (const step of release) await step();
    return answer;
  };
  const where = "server.max.model: 'm' version '1', model.yaml: ";
  const refuses = ': its addresses refuse every request';
  t.equal(await told({}), `${where}expected preprocess.image, found none${refuses}`);
  const preprocess = { image: {} };
  t.equal(await told({ preprocess }), '["0","1","2"]', 'classes without names have numbers');
  t.equal(
    await told({ preprocess, labelsByOutput: new Map([['scores', ['a', 'b', 'c']]]) }),
    '["a","b","c"]',
  );
  t.equal(
    await told({ preprocess: { image: { width: 30 } } }),
    `${where}preprocess.image.width: expected 28, as the model's input has it, found 30${refuses}`,
  );
  t.equal(
    await told({ preprocess, postprocess: { output: 'logits' } }),
    `${where}postprocess.output: expected one of 'scores', found 'logits'${refuses}`,
  );
  t.equal(
    await told({ preprocess, task: 'detection' }),
    `${where}expected task classification, found detection${refuses}`,
  );
});
