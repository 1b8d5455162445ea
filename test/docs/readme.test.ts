import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { EXIT } from '../../src/cli/exit-code.ts';
import { imageTensorBytes, readImages } from '../../src/demo/images.ts';
import { projectRoot } from '../support/project-root.ts';
import { aGateway } from './a-gateway.ts';
import { blocksOf, readPage } from './page.ts';
import { noShell, runBlock } from './shell.ts';

/** Blocks that install, run the whole demo or the tests, or serve: CI runs the first, others what `npm start` gives. */
const NOT_HERE = /^npm (ci|start)\b/;

t.test('the commands of the README work', { skip: noShell ?? false }, async (t) => {
  const blocks = blocksOf(readPage('README.md')).filter(({ info }) => info === 'sh');
  t.same(
    blocks.map(({ text }) => text.trim()).filter((text) => NOT_HERE.test(text)),
    ['npm ci && npm run demo', 'npm ci && npm test', 'npm start'],
    'two commands for a fresh machine, and one that serves',
  );
  const gateway = await aGateway();
  t.teardown(() => gateway.close());
  const runnable = blocks.filter(({ text }) => !NOT_HERE.test(text));
  t.ok(runnable.length > 0);
  for (const { text, line } of runnable) {
    // There is no traffic here, so the rollout would not end.
    const { code, out, errors } = await runBlock(text.replaceAll(' --watch', ''), gateway);
    const output = `README.md:${line}: ${out}${errors}`;
    // On a machine that is busy with tests, a load may warn that its figures are invalid.
    if (/see the warnings/.test(out)) t.equal(code, EXIT.inconclusive, output);
    else t.equal(code, EXIT.ok, output);
  }
});

t.test('infer.json is the first test image', async (t) => {
  const [image] = await readImages(path.join(projectRoot, 'models/_fashion-mnist'));
  t.ok(image);
  if (image === undefined) return;
  const exact = new Float32Array(imageTensorBytes(image).slice().buffer);
  const { inputs } = JSON.parse(readPage('docs/examples/infer.json')) as {
    inputs: { data: number[] }[];
  };
  const data = inputs[0]?.data ?? [];
  t.equal(data.length, exact.length);
  t.ok(data.every((value, index) => Math.abs(value - (exact[index] ?? Number.NaN)) <= 0.0005));
});

t.test('links between pages lead somewhere', async (t) => {
  const folders = ['.', 'docs', 'docs/guides', 'docs/operations', 'docs/reference'];
  for (const folder of folders) {
    const files = await readdir(path.join(projectRoot, folder));
    for (const file of files.filter((name) => name.endsWith('.md'))) {
      const page = path.posix.join(folder, file);
      for (const link of linksOf(readPage(page)))
        t.equal(broken(link, page), '', `${page}: ${link}`);
    }
  }
});

function linksOf(page: string): readonly string[] {
  return [...page.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^https?:/.test(link));
}

/** What is wrong with a link; empty: nothing. Headings are written as GitHub makes anchors of them. */
function broken(link: string, page: string): string {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
  if (!existsSync(path.join(projectRoot, target))) return `no file ${target}`;
  if (anchor === undefined) return '';
  const headings = [...readPage(target).matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return headings.includes(anchor) ? '' : `no heading #${anchor} in ${target}`;
}
