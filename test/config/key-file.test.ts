import * as fc from 'fast-check';
import t from 'tap';
import { type KeyFile, keyFileText, parseKeyFile } from '../../src/config/key-file.ts';
import { ROLES } from '../../src/core/caller.ts';

const aTime = fc.integer({ min: 0, max: 4_000_000_000_000 });
const someModels = fc.constantFrom('*' as const, ['a'], ['a', 'b c']);
const aKeyFile: fc.Arbitrary<KeyFile> = fc.record(
  {
    id: fc.stringMatching(/^[0-9A-Za-z]{8}$/),
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/),
    digest: fc.stringMatching(/^[0-9a-f]{64}$/),
    grants: fc.array(
      fc
        .record({ role: fc.constantFrom(...ROLES), models: someModels }, { noNullPrototype: true })
        .filter(({ role, models }) => role !== 'admin' || models === '*'),
      { maxLength: 5 },
    ),
    createdMs: aTime,
    expiresMs: fc.option(aTime, { nil: undefined }),
    revokedMs: fc.option(aTime, { nil: undefined }),
  },
  { noNullPrototype: true },
);

t.test('a key is read as it was written', async () => {
  await fc.assert(
    fc.property(aKeyFile, (key) => {
      const { expiresMs, revokedMs, ...rest } = parseKeyFile(keyFileText(key));
      t.strictSame({ ...rest, expiresMs, revokedMs }, key);
    }),
    { numRuns: 50 },
  );
});

t.test('a file that is wrong is refused with all that is wrong', async (t) => {
  const [key] = fc.sample(aKeyFile, { numRuns: 1, seed: 1 });
  const file = JSON.parse(keyFileText(key as KeyFile));
  const says = (change: object) => {
    try {
      parseKeyFile(JSON.stringify({ ...file, ...change }));
      return 'nothing';
    } catch (error) {
      return String(error);
    }
  };
  t.equal(says({}), 'nothing');
  t.match(
    says({ version: 2, name: 'a b' }),
    /version: expected version 1.*; name: expected a name/,
  );
  t.match(says({ expires: 'tomorrow' }), /expires: expected a time such as/);
  t.match(says({ expires: undefined }), /expires/);
  t.match(says({ grants: [{ role: 'admin', models: ['a'] }] }), /grants.0.models/);
  t.match(says({ key: 'x' }), /unknown key "key"/);
  t.throws(() => parseKeyFile('{'));
});
