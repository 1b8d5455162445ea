/** The package as its users have it, under the other lines of Node that it says it runs on. */
import { join } from 'node:path';
import t from 'tap';
import { anInstall, nodeOf } from './an-install.ts';
import { servedBy } from './served-by.ts';

t.setTimeout(900_000);

const folder = await anInstall(t);
const main = join(folder, 'node_modules', 'understudy', 'out', 'src', 'cli', 'main.js');

for (const line of ['22', '24']) {
  t.test(`the installed package serves under Node ${line}`, async (t) => {
    const node = await nodeOf(t, line);
    const { status, answer, end } = await servedBy(t, folder, [node, main]);
    t.equal(status, 200, JSON.stringify(answer));
    t.match(answer, { outputs: [{ shape: [1, 10] }] });
    t.equal(end, 0);
  });
}
