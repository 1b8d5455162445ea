import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

t.test(
  'real variants get the right verdict, and a verdict against what is expected ends with 1',
  { timeout: 180_000 },
  async (t) => {
    const only = ['--only', 'permuted,flattened', '--expect', 'flattened=promoted'];
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...only], {
      encoding: 'utf8',
    });
    t.match(stdout, /^permuted .* refused +disagreement /m, stderr);
    t.match(stdout, /^flattened .* refused +disagreement .*\n {2}wrong: expected promoted, found/m);
    t.match(stdout, /^2 variants at 60 requests\/s: 1 wrong$/m);
    t.equal(status, 1);
  },
);
