/**
 * What users get: the package as npm packs it, installed into an empty folder. Not a part of `npm test`, as its dependencies come
 * from the registry: `npm run test:shipped`.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { anInstall } from './an-install.ts';
import { servedBy } from './served-by.ts';

const run = promisify(execFile);

t.setTimeout(600_000);

const folder = await anInstall(t);
const command = join(folder, 'node_modules', '.bin', 'understudy');

t.test('the installed command serves the models that ship, and stops when asked', async (t) => {
  const { status, answer, end } = await servedBy(t, folder, [command]);
  t.equal(status, 200, JSON.stringify(answer));
  t.match(answer, { model_name: 'fashion', outputs: [{ datatype: 'FP32', shape: [1, 10] }] });
  t.equal(end, 0);
});

t.test('the installed library can be imported', async (t) => {
  const text = "import('understudy').then((all) => console.log(typeof all.startApp))";
  const { stdout } = await run(process.execPath, ['-e', text], { cwd: folder });
  t.equal(stdout.trim(), 'function');
});

t.test('the installed command says its version', async (t) => {
  const { stdout } = await run(command, ['--version'], { cwd: folder });
  t.match(stdout, /^understudy \d+\.\d+\.\d+ \(Node /);
});
