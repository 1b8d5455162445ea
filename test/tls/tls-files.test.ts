import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';

import { secureContextOf } from '../../src/tls/secure-context.ts';
import { checkTexts, readTexts, type TlsPaths } from '../../src/tls/tls-files.ts';
import { Authority, openssl } from '../support/certificates.ts';

async function filesAt(paths: TlsPaths) {
  return checkTexts(await readTexts(paths), paths);
}

t.test('a certificate and its key are read, with when they expire', async (t) => {
  const authority = await Authority.open(t);
  const pair = await authority.issue({ name: 'server', days: 30 });
  const clientCa = authority.certificate;
  const files = await filesAt({ ...pair, clientCa });
  t.strictSame(files.warnings, []);
  const days = (ms = 0): number => Math.round((ms - Date.now()) / 86_400_000);
  t.strictSame([days(files.validity.untilMs), days(files.clientCaValidity?.untilMs)], [30, 60]);
  t.equal((await filesAt(pair)).clientCaValidity, undefined);
});

t.test('files that cannot be used are named with what to do', async (t) => {
  const authority = await Authority.open(t);
  const pair = await authority.issue({ name: 'server' });
  const other = await authority.issue({ name: 'other' });
  const at = (name: string): string => join(authority.folder, name);
  await writeFile(at('empty'), '');
  await writeFile(at('broken'), (await readFile(pair.certificate, 'utf8')).replace(/MII.{9}/, 'x'));
  const text = await readFile(pair.certificate, 'utf8');
  await writeFile(at('wrong-order'), (await readFile(authority.certificate, 'utf8')) + text);
  const locked = ['pkey', '-in', pair.key, '-aes256', '-passout', 'pass:secret', '-out'];
  await openssl([...locked, at('locked')]);
  const cases: readonly [Partial<TlsPaths>, RegExp][] = [
    [{ certificate: at('none') }, /^server.tls.certificate: expected a readable file: .*ENOENT/],
    [
      { key: authority.folder },
      /^server.tls.key: expected a readable file: expected a regular file/,
    ],
    [{ certificate: at('empty') }, /empty: expected a certificate in PEM .* found none/],
    [{ certificate: at('broken') }, /broken: expected certificate 1 to be one/],
    [{ key: at('empty') }, /^server.tls.key: .*expected a private key in PEM/],
    [{ key: at('locked') }, /without a passphrase, found one with/],
    [
      { key: other.key },
      /^server.tls.key: expected the private key of the certificate in .*other.key/,
    ],
    [
      { certificate: at('wrong-order') },
      /expected the server's certificate first, found it at place 2/,
    ],
    [{ clientCa: at('empty') }, /^server.tls.clientCa: .*expected a certificate in PEM/],
  ];
  for (const [parts, message] of cases)
    await t.rejects(filesAt({ ...pair, ...parts }), { message });
});

t.test('what is allowed and unwise is warned of', async (t) => {
  const authority = await Authority.open(t);
  const pair = await authority.issue({ name: 'nameless', names: '' });
  await chmod(pair.key, 0o644);
  const stranger = await Authority.open(t);
  const foreign = join(authority.folder, 'foreign');
  const texts = [pair.certificate, stranger.certificate].map((file) => readFile(file, 'utf8'));
  await writeFile(foreign, (await Promise.all(texts)).join(''));
  const { warnings } = await filesAt({ ...pair, certificate: foreign });
  t.match(warnings, [
    /no alternative name/,
    /certificate 1 was not issued by the next one/,
    /every user of this machine can read it.*chmod o-rwx/,
  ]);
});

t.test('a key that is too weak is refused before a port opens', async (t) => {
  const authority = await Authority.open(t);
  const at = (name: string): string => join(authority.folder, name);
  const pair = { certificate: at('weak.crt'), key: at('weak.key') };
  const out = ['-keyout', pair.key, '-out', pair.certificate, '-subj', '/CN=weak'];
  await openssl(['req', '-x509', '-newkey', 'rsa:512', '-nodes', ...out]);
  const files = await filesAt(pair);
  t.throws(() => secureContextOf(files, 'TLSv1.2'), {
    message: /^server.tls: expected .*too small/,
  });
});
