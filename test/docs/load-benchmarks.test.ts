import t from 'tap';
import { EXIT } from '../../src/cli/exit-code.ts';
import { aGateway } from './a-gateway.ts';
import { blocksOf, readPage } from './page.ts';
import { noShell, runBlock } from './shell.ts';

const PAGE = readPage('docs/guides/load-benchmarks.md');
/**
 * What a reader does in minutes, in seconds: an option that is given again counts as it was given last. Two modes take as
 * many loads as they need; of these the page's command is shown to be understood, as it looks for a server, which is not there.
 */
const SHORTER: Readonly<Record<string, string>> = {
  run: '--duration 1s --rate 50',
  compare: '--duration 300ms --rounds 3 --rate 50',
  soak: '--duration 2s --rate 50',
  sweep: '-u http://127.0.0.1:9',
  slo: '-u http://127.0.0.1:9',
};
const TIME = { skip: noShell ?? false, timeout: 200_000 };

t.test('every command does what is shown', TIME, async (t) => {
  const gateway = await aGateway();
  t.teardown(() => gateway.close());
  const folder = t.testdir();
  const seen = new Set<string>();
  for (const { text, line } of blocksOf(PAGE).filter(({ info }) => info === 'sh')) {
    const mode = /^understudy bench (\w+)/.exec(text)?.[1] ?? '';
    seen.add(mode);
    const shorter = SHORTER[mode] ?? '';
    const command = `${text.trim().replaceAll('var/', `${folder}/`)} --warmup 100ms ${shorter}`;
    const { code, out, errors } = await runBlock(command, gateway, 60_000);
    const told = `load-benchmarks.md:${line}, exit code ${code}: ${errors.slice(-300)}`;
    if (shorter.startsWith('-u')) {
      t.equal(code, EXIT.unreachable, told);
      continue;
    }
    // So short a load on a busy machine may have warnings: then, and only then, the command prints them.
    t.equal(code, /Warning: /.test(errors) ? EXIT.inconclusive : EXIT.ok, told);
    t.match(out, /^Again: understudy bench .* --seed \d+$/m, told);
  }
  t.same([...seen].sort(), Object.keys(SHORTER).sort(), 'every mode is shown');
});
