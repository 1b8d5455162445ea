import { Readable } from 'node:stream';
import t from 'tap';
import { readText } from '../../src/core/read-text.ts';

t.test('a character that is split between two pieces stays whole', async (t) => {
  const bytes = Buffer.from('été');
  const body = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]);
  t.equal(await readText(body, 5), 'été');
});

t.test('a body is read up to its limit, and then let go', async (t) => {
  const body = Readable.from([Buffer.alloc(2 ** 20), Buffer.alloc(1), Buffer.alloc(1)]);
  await t.rejects(readText(body, 2 ** 20), { message: 'an answer of more than 1 MiB' });
  t.ok(body.destroyed);
});
