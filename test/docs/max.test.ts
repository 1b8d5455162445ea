import t from 'tap';
import { parseYamlFile } from '../../src/config/yaml-file.ts';
import { modelYamlSchema } from '../../src/repository/model-yaml.ts';
import { postprocessSchema, preprocessSchema } from '../../src/repository/preprocess-yaml.ts';
import { aGateway } from './a-gateway.ts';
import { blocksOf, readPage, tableRows } from './page.ts';
import { noShell, runBlock } from './shell.ts';

const PAGE = readPage('docs/guides/max.md');

/** The first two commands, which install and serve. */
const NOT_HERE = 'npm ci\nnpm start -- --max fashion\n';

type Predictions = {
  readonly predictions: readonly { readonly label: string; readonly probability: number }[];
};

t.test('every command does what is shown', { skip: noShell ?? false }, async (t) => {
  const gateway = await aGateway({ max: { model: 'fashion' } });
  t.teardown(() => gateway.close());
  const blocks = blocksOf(PAGE);
  t.equal(blocks[0]?.text, NOT_HERE);
  const ran = blocks.slice(1).filter(({ info }) => info === 'sh' || info === 'sh refused');
  t.equal(ran.length, 3);
  for (const { info, text, line } of ran) {
    const { code, out, errors } = await runBlock(text, gateway);
    const told = `max.md:${line}: ${out}${errors}`;
    if (info === 'sh refused') t.not(code, 0, told);
    else t.equal(code, 0, told);
    if (!text.includes('ankle-boot')) continue;
    const shown = JSON.parse(
      blocks.find((block) => block.info === 'json')?.text ?? '',
    ) as Predictions;
    const { predictions } = JSON.parse(out) as Predictions;
    for (const [place, { label, probability }] of shown.predictions.entries()) {
      const found = predictions[place];
      t.equal(found?.label, label);
      t.ok(found && Math.abs(found.probability - probability) < 1e-4, `${found?.probability}`);
    }
  }
});

t.test('the keys of model.yaml are those of the program', async (t) => {
  const keysOf = (first: string): readonly string[] =>
    tableRows(PAGE, first).flatMap(([cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, key = '']) => key),
    );
  t.same(keysOf('`preprocess.image`'), Object.keys(preprocessSchema.shape.image.shape));
  t.same(keysOf('`postprocess`'), Object.keys(postprocessSchema.shape));
  const shown = blocksOf(PAGE).find(({ info }) => info === 'yaml model');
  const parsed = parseYamlFile({ file: 'model.yaml', text: shown?.text ?? '' }, modelYamlSchema);
  t.match(parsed, { preprocess: { image: { mode: 'rgb', std: [0.229, 0.224, 0.225] } } });
});
