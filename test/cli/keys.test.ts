import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isApiKey } from '../../src/auth/api-key.ts';
import { understudy } from '../support/command.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-keys-cli-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const at = { cwd: folder, env: { UNDERSTUDY_CONFIG: '' } };
t.setTimeout(300_000);
const TIME = { timeout: 100_000 };

async function listed(): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await understudy(['keys', 'list', '-o', 'json'], at);
  return JSON.parse(stdout).keys;
}

t.test('a key is printed once, alone on standard output, and kept nowhere', TIME, async (t) => {
  const asked = ['--name', 'batch', '--role', 'infer', 'label', '--model', 'fashion'];
  const made = await understudy(['keys', 'create', ...asked, '--expires', '90d'], at);
  t.equal(made.code, 0);
  const key = made.stdout.trimEnd();
  t.ok(isApiKey(key));
  t.match(
    made.stderr,
    /^key:batch \(\w{8}\) may infer, label on fashion and is valid until \d{4}-/,
  );
  t.match(made.stderr, /has no section "auth"/);
  t.notOk(made.stderr.includes(key));
  const all = await readdir(join(folder, 'var/keys'));
  t.equal(all.length, 2, 'a key and the pepper');
  for (const name of all)
    t.notOk((await readFile(join(folder, 'var/keys', name), 'utf8')).includes(key.slice(20)), name);
  t.match(await listed(), [
    {
      name: 'batch',
      state: 'valid',
      grants: [
        { role: 'infer', models: ['fashion'] },
        { role: 'label', models: ['fashion'] },
      ],
      revoked: null,
    },
  ]);
});

t.test('a key is revoked by its id, or by a name that only one has', TIME, async (t) => {
  const ops = ['keys', 'create', '--name', 'ops', '--role', 'admin', '-o', 'json'];
  const first = JSON.parse((await understudy(ops, at)).stdout);
  const second = JSON.parse((await understudy(ops, at)).stdout);
  t.match(first, { name: 'ops', expires: null, state: 'valid' });
  t.ok(isApiKey(first.key));
  const unclear = await understudy(['keys', 'revoke', 'ops'], at);
  t.equal(unclear.code, 2);
  t.match(unclear.stderr, first.id);
  t.equal((await understudy(['keys', 'revoke', first.id], at)).code, 0);
  const byName = await understudy(['keys', 'revoke', 'ops'], at);
  t.match(byName.stdout, new RegExp(`${second.id}  ops   revoked`));
  const states = (await listed()).filter(({ name }) => name === 'ops').map(({ state }) => state);
  t.same(states, ['revoked', 'revoked']);
  t.match(await understudy(['keys', 'revoke', 'nothing'], at), {
    code: 1,
    stderr: /no key "nothing"/,
  });
});

t.test('a key as an argument is refused, since other users see it', TIME, async (t) => {
  const { stdout } = await understudy(['keys', 'create', '--name', 'a', '--role', 'infer'], at);
  const { code, stderr } = await understudy(['keys', 'revoke', stdout.trim()], at);
  t.equal(code, 2);
  t.match(stderr, /found the key itself/);
  t.notOk(stderr.includes(stdout.trim()));
});

t.test('what is wrong is said in a line that names the option', TIME, async (t) => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--name', 'a', '--role', 'root'], /--role: expected one of infer.*found "root"/],
    [['--name', 'a', '--role', 'admin', '--model', 'm'], /--model: expected models: "\*"/],
    [['--name', 'a', '--role', 'infer', '--expires', 'soon'], /--expires: expected a duration/],
    [['--name', 'a', '--role', 'infer', '--expires', '999999999d'], /--expires/],
  ];
  for (const [args, says] of wrong)
    t.match(await understudy(['keys', 'create', ...args], at), {
      code: 2,
      stderr: says,
      stdout: '',
    });
  const name = await understudy(['keys', 'create', '--name', 'a b', '--role', 'infer'], at);
  t.match(name, { code: 1, stderr: /expected a name of letters/ });
});

t.test('the folder is the configured one, or that of the option', TIME, async (t) => {
  await writeFile(
    join(folder, 'understudy.yaml'),
    'apiVersion: understudy/v1\nauth: { keys: ./other }\n',
  );
  t.teardown(() => rm(join(folder, 'understudy.yaml')));
  const asked = ['keys', 'create', '--name', 'a', '--role', 'view'];
  t.notMatch((await understudy(asked, at)).stderr, /section "auth"/);
  t.equal((await readdir(join(folder, 'other'))).length, 2);
  await understudy([...asked, '--keys', 'third'], at);
  t.equal((await readdir(join(folder, 'third'))).length, 2);
});
