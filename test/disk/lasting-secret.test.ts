import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freshSecret, lastingSecret } from '../../src/disk/lasting-secret.ts';

t.test('a secret that was written is found again, and only its owner may read it', async (t) => {
  const file = join(t.testdir(), 'secret');
  const first = await lastingSecret(file, freshSecret());
  t.same(await lastingSecret(file, freshSecret()), first);
  t.equal(statSync(file).mode & 0o777, 0o600);
});

t.test('a file that a crash left empty is written again', async (t) => {
  const file = join(t.testdir(), 'secret');
  writeFileSync(file, '');
  const fresh = freshSecret();
  t.same(await lastingSecret(file, fresh), fresh);
  t.same(readFileSync(file), Buffer.from(fresh));
});
