import path from 'node:path';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { aGateway } from './a-gateway.ts';
import { blocksOf, readPage } from './page.ts';
import { noShell, type Ran, runBlock } from './shell.ts';

const PAGE = 'docs/guides/security.md';

// Some twenty starts of a process.
t.setTimeout(300_000);

// A gateway notices a key within a second, and a reader takes longer than that from one block to the next.
t.test(
  'every command is answered, or refused, as the page says',
  { skip: noShell ?? false, timeout: 300_000 },
  async (t) => {
    const gateway = await aGateway({}, 'auth: {}\n');
    t.teardown(() => gateway.close());
    const folder = path.resolve(gateway.ledger, '../..');
    const blocks = blocksOf(readPage(PAGE)).filter(({ info }) => info.startsWith('sh'));
    t.ok(blocks.length > 6, `found ${blocks.length} blocks`);
    for (const { info, text, line } of blocks) {
      const script = [
        `cd '${folder}'`,
        `export UNDERSTUDY_CONFIG='${folder}/understudy.yaml'`,
        text.replaceAll('@docs/', `@${projectRoot}/docs/`),
      ].join('\n');
      const isRefused = info.endsWith('refused');
      let last: Ran | undefined;
      const isRight = async (): Promise<boolean> => {
        last = await runBlock(script, gateway);
        return (last.code !== 0) === isRefused;
      };
      const isOnce = text.includes('keys ');
      const right = isOnce
        ? await isRight()
        : await until(`${PAGE}:${line}`, isRight).catch(() => false);
      t.ok(right, `${PAGE}:${line}: ${JSON.stringify(last)}`);
      if (isRefused) t.match(last?.out, /"code":"(unauthenticated|forbidden)"/, `${PAGE}:${line}`);
    }
  },
);
