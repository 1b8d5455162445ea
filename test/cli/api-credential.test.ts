import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { newApiKey } from '../../src/auth/api-key.ts';
import { readApiCredential } from '../../src/cli/api-credential.ts';
import { understudy } from '../support/command.ts';

const folder = await mkdtemp(join(tmpdir(), 'understudy-credential-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const { key } = newApiKey();
const file = join(folder, 'key');
await writeFile(file, `${key}\n`);

t.test('the file goes before the variable, and neither is none', async (t) => {
  const { key: other } = newApiKey();
  t.equal(readApiCredential(file, { apiKey: other }), key);
  t.equal(readApiCredential(undefined, { apiKey: ` ${other}\n` }), other);
  t.equal(readApiCredential(undefined, { apiKey: 'eyJ.a_b-c.d=' }), 'eyJ.a_b-c.d=');
  t.equal(readApiCredential(undefined, { apiKey: undefined }), undefined);
});

t.test('what is no key or token is refused, and not shown', async (t) => {
  for (const apiKey of [key.slice(0, -1), `${key} x`, 'a\r\nx-evil: 1', 'ü', ' ']) {
    const read = () => readApiCredential(undefined, { apiKey });
    t.throws(read, { exitCode: 2, message: /^UNDERSTUDY_API_KEY: expected an API key/ }, apiKey);
    t.notMatch(String(t.throws(read)), /understudy_/);
  }
  t.throws(() => readApiCredential(join(folder, 'none'), { apiKey: key }), {
    exitCode: 2,
    message: /ENOENT/,
  });
  t.throws(() => readApiCredential('/dev/zero', { apiKey: key }), {
    exitCode: 2,
    message: /found another text/,
  });
});

t.test('a command sends the key as a bearer token and never shows it', async (t) => {
  const seen: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(headers.authorization);
    response.setHeader('content-type', 'application/json').writeHead(401);
    response.end(JSON.stringify({ error: 'expected one credential', code: 'unauthenticated' }));
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { UNDERSTUDY_ADMIN: admin, UNDERSTUDY_API_KEY: '' };
  const ends = await Promise.all([
    understudy(['models', '--api-key-file', file], { env }),
    understudy(['models'], { env: { ...env, UNDERSTUDY_API_KEY: key } }),
    understudy(['models'], { env }),
  ]);
  t.same([...seen].sort(), [`Bearer ${key}`, `Bearer ${key}`, undefined].sort());
  for (const { code, stderr } of ends) {
    t.equal(code, 1);
    t.match(stderr, /expected one credential\. Name a file with an API key by --api-key-file/);
    t.notOk(stderr.includes(key));
  }
});
