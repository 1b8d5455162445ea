import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readRolloutFile } from '../../src/config/rollout-file.ts';

const directory = await mkdtemp(join(tmpdir(), 'rollout-file-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));

t.test('a rollout file is taken as written, and refused where it is no section', async (t) => {
  const rollout = join(directory, 'rollout.yaml');
  await writeFile(rollout, 'intent: improve\nmaxDuration: 1h\n');
  t.same((await readRolloutFile(rollout)).source, { intent: 'improve', maxDuration: '1h' });
  await writeFile(rollout, 'intent: improve\nintent: equivalent\n');
  await t.rejects(readRolloutFile(rollout), { name: 'ConfigError', message: /:2:1 Map keys must/ });
  await writeFile(rollout, 'intent: improve\nmargins:\n  errors: { ratio: 0 }\n');
  await t.rejects(readRolloutFile(rollout), { message: /:3:20 margins\.errors\.ratio: expected/ });
  await rm(rollout);
  await t.rejects(readRolloutFile(rollout), { message: /:1:1 expected a readable file: ENOENT/ });
});

t.test('what only the gateway can know of a rollout file gets its place in it', async (t) => {
  const rollout = join(directory, 'rollout.yaml');
  await writeFile(rollout, 'intent: improve\nslices:\n  - { tone: dark }\n');
  const { complaint } = await readRolloutFile(rollout);
  const error = complaint('slices.0.tone: expected an attribute; slices: expected fewer');
  t.match(
    error?.message,
    /:3:13 slices\.0\.tone: expected an attribute\n.*:3:3 slices: expected fewer$/,
  );
  t.equal(complaint('candidate: expected another version'), undefined, 'it is not in the file');
  t.equal(complaint('no model "a"'), undefined);
});
