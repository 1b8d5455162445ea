import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { understudy } from '../support/command.ts';
import { projectRoot } from '../support/project-root.ts';

const TIME = { timeout: 100_000 };

const CONFIG = `apiVersion: understudy/v1
models:
  fashion: {}
  speech: {}
`;

t.test('lint says of each version whether it can be served, and why not', TIME, async (t) => {
  const root = t.testdir({ understudy: { 'understudy.yaml': CONFIG } });
  const repository = join(root, 'models');
  await cp(join(projectRoot, 'models', 'fashion', '1'), join(repository, 'fashion', '1'), {
    recursive: true,
  });
  await mkdir(join(repository, 'fashion', '2'), { recursive: true });
  await writeFile(join(repository, 'fashion', '2', 'model.onnx'), '');
  const cwd = join(root, 'understudy');
  const whole = await understudy(['lint', repository], { cwd });
  t.equal(whole.code, 1, whole.stderr);
  t.match(whole.stdout, /^✔ fashion 1: .* MiB, [0-9a-f]{12}/m);
  t.match(whole.stdout, /^✖ fashion 2: cannot be served: /m);
  t.match(whole.stdout, /^✖ configuration: models\.speech: expected a model of the repository/m);
  const json = await understudy(['lint', repository, '-o', 'json'], { cwd });
  t.match(JSON.parse(json.stdout), {
    models: [{ model: 'fashion', versions: [{ version: '1' }], problems: [{ version: '2' }] }],
    missing: { length: 1 },
  });
  const good = await understudy(['lint', join(projectRoot, 'models')], { cwd: root });
  t.match(good, { code: 0, stdout: / 0 problems\n$/ });
});

t.test('an empty or missing repository is a problem, and no pass', TIME, async (t) => {
  const root = t.testdir({ empty: {} });
  const [empty, missing] = await Promise.all(
    ['empty', 'missing'].map((name) => understudy(['lint', join(root, name)], { cwd: root })),
  );
  t.match(empty, {
    code: 1,
    stdout: /expected models in <model>\/<version>\/model\.onnx, found none/,
  });
  t.match(missing, { code: 1, stdout: /^✖ .*missing: / });
});

t.test('config check shows all problems at once, where they are', TIME, async (t) => {
  const root = t.testdir({
    'bad.yaml':
      'apiVersion: understudy/v1\nmodels:\n  fashion:\n    queue: { deadlinMs: 5 }\nledgr: x\n',
    'good.yaml':
      'apiVersion: understudy/v1\nrollout: { maxDuration: 12h }\nmodels: { fashion: {} }\n',
  });
  const check = (...args: readonly string[]) =>
    understudy(['config', 'check', ...args], { cwd: root });
  const [bad, json, good, none, absent] = await Promise.all([
    check('bad.yaml'),
    check('bad.yaml', '-o', 'json'),
    check('good.yaml'),
    check(),
    check('absent.yaml'),
  ]);
  t.equal(bad.code, 2);
  t.match(bad.stdout, /^bad\.yaml:4:\d+ models\.fashion\.queue.*deadlineMs/m);
  t.match(bad.stdout, /^bad\.yaml:5:\d+ .*ledger/m);
  t.match(bad.stdout, /✖ 2 problems\n$/);
  t.match(JSON.parse(json.stdout), { valid: false, problems: [{ line: 4 }, { line: 5 }] });
  t.match(good, {
    code: 0,
    stdout: '✔ good.yaml: valid, names 1 model; rollout sets maxDuration for all models\n',
  });
  t.match(none, { code: 0, stdout: /^✔ no file here/ });
  t.match(absent, { code: 2, stdout: /^absent\.yaml:1:1 expected a readable file/ });
});
