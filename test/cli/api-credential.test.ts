import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { newApiKey } from '../../src/auth/api-key.ts';
import { AdminClient } from '../../src/cli/admin-client.ts';
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

t.test('a key goes to another machine over TLS only, unless that is allowed', async (t) => {
  const plain = 'http://192.0.2.1:8002';
  for (const admin of [plain, 'http://gateway:8002', 'http://[2001:db8::1]:8002']) {
    const open = (allowPlaintext = false) =>
      new AdminClient({ admin, apiKeyFile: file, allowPlaintext });
    t.throws(open, { exitCode: 2, message: /expected TLS on the way .*--allow-plaintext/ }, admin);
    t.doesNotThrow(() => open(true), admin);
    t.doesNotThrow(() => new AdminClient({ admin }), 'without a key there is nothing to keep');
  }
  for (const admin of ['http://localhost:1', 'http://127.9.0.1:1', 'http://[::1]:1', 'https://a:1'])
    t.doesNotThrow(() => new AdminClient({ admin, apiKeyFile: file }), admin);
  const load = ['bench', 'run', '-m', 'fashion', '--rate', '1', '--api-key-file', file];
  const urls = [
    ['-u', plain],
    ['-u', 'grpc://192.0.2.1:8001'],
    ['-H', 'authorization: Bearer x'],
  ];
  for (const url of urls) {
    const { code, stderr } = await understudy([...load, ...url]);
    t.equal(code, 2, stderr);
    t.match(stderr, /expected (TLS on the way to 192\.0\.2\.1|--api-key-file or a header)/);
  }
});

t.test('a load sends the key of a file, and its report has none', async (t) => {
  const seen = new Set<string | undefined>();
  const server = createServer(({ headers }, response) => {
    seen.add(headers.authorization);
    response.writeHead(403).end('{"error":"no"}');
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const load = ['bench', 'run', '-m', 'fashion', '--rate', '1', '-u', url];
  const env = { UNDERSTUDY_API_KEY: key };
  const named = await understudy([...load, '--api-key-file', file], { env });
  t.same([...seen], [`Bearer ${key}`]);
  t.notOk(`${named.stdout}${named.stderr}`.includes(key));
  seen.clear();
  await understudy(load, { env });
  t.same([...seen], [undefined], 'the variable is meant for a gateway');
});
