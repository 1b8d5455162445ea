import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { startApp } from '../../src/app.ts';
import { ConfigFile } from '../../src/config/config-file.ts';
import { blocksOf, readPage } from '../docs/page.ts';
import { type Ran, runBlock } from '../docs/shell.ts';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { pythonOf } from './python.ts';

const run = promisify(execFile);

const PAGE = blocksOf(readPage('docs/guides/your-own-model.md'));
const SHELL_MS_MAX = 60_000;
const FREE = { host: '127.0.0.1', port: 0 };

const isExport = ({ text }: { readonly text: string }): boolean => text.startsWith('python ');

t.test('every command of the guide works, from the export to the first label', async (t) => {
  // Installing scikit-learn comes first, where it is not there yet.
  t.setTimeout(900_000);
  const folder = t.testdir();
  const python = await pythonOf(join(projectRoot, 'test', 'answers'));
  for (const { info, text } of PAGE) {
    const file = /^(?:python|yaml) (\S+)$/.exec(info)?.[1];
    if (file === undefined) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const shell = PAGE.filter(({ info }) => info === 'sh' || info === 'sh label');
  for (const { text } of shell.filter(isExport)) {
    const [, script = ''] = text.trim().split(' ');
    await t.resolves(run(python, [script], { cwd: folder }), text);
  }
  const gateway = await aGatewayIn(folder);
  t.teardown(() => gateway.close());
  const here = (text: string): Promise<Ran> =>
    runBlock(`cd '${folder}'\n${text}`, gateway, SHELL_MS_MAX);
  const rest = shell.filter((block) => !isExport(block));
  t.equal(rest.length, 5);
  for (const { info, text, line } of rest) {
    if (info === 'sh label') await isMirrored(gateway.adminPort);
    const { code, out, errors } = await here(text);
    t.equal(code, 0, `your-own-model.md:${line}: ${out}${errors}`);
    if (info !== 'sh label') continue;
    const states = [...out.matchAll(/"state":"(\w+)"/g)].map(([, state]) => state);
    t.equal(states.length, 2, out);
    for (const state of states) t.match(state, /^(joined|waiting)$/, out);
  }
});

/** As `understudy serve` would start it, but for free ports. */
async function aGatewayIn(folder: string) {
  const configFile = new ConfigFile(join(folder, 'understudy.yaml'), {
    override: (config) => ({
      ...config,
      server: { ...config.server, http: FREE, grpc: FREE, admin: FREE },
    }),
  });
  const source = await configFile.readFirst();
  const config = configFile.configOf(source);
  const app = await startApp({
    config,
    configFile: { file: configFile, source },
    log: () => undefined,
    feedbackSecret: undefined,
  });
  await app.started;
  return { ...app, ledger: config.ledger };
}

async function isMirrored(adminPort: number | undefined): Promise<void> {
  for (const model of ['tumour', 'progression']) {
    await until(`the first step of ${model}`, async () => {
      const url = `http://127.0.0.1:${adminPort}/api/v1/models/${model}/rollout`;
      const answer = await fetch(url);
      return (await answer.text()).includes('"progressing"');
    });
  }
}
