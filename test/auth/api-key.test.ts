import * as fc from 'fast-check';
import t from 'tap';
import {
  digestOf,
  isApiKey,
  KEY_LENGTH,
  keyIdOf,
  newApiKey,
  pepperOf,
} from '../../src/auth/api-key.ts';

t.test('a new key has an id, 256 random bits and a checksum', async (t) => {
  const keys = Array.from({ length: 200 }, newApiKey);
  for (const { id, key } of keys) {
    t.match(key, /^understudy_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}$/);
    t.equal(key.length, KEY_LENGTH);
    t.equal(keyIdOf(key), id);
    t.ok(isApiKey(key));
  }
  t.equal(new Set(keys.map(({ key }) => key)).size, keys.length);
  t.equal(new Set(keys.map(({ id }) => id)).size, keys.length);
});

t.test('a key with one character changed is no key', async (t) => {
  const { key } = newApiKey();
  await fc.assert(
    fc.property(fc.nat(KEY_LENGTH - 1), fc.constantFrom(...'0aZ_ '), (at, character) => {
      const changed = key.slice(0, at) + character + key.slice(at + 1);
      return changed === key || !isApiKey(changed);
    }),
  );
  for (const text of ['', key.slice(1), `${key}0`, ` ${key.slice(1)}`, key.toUpperCase()])
    t.notOk(isApiKey(text), text);
});

t.test('any text that is no key has no id', async () => {
  await fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => keyIdOf(text) === undefined),
  );
});

t.test('the digest depends on every character of the key and on the pepper', async (t) => {
  const { key } = newApiKey();
  const [pepper, other] = [pepperOf(Buffer.alloc(32, 1)), pepperOf(Buffer.alloc(32, 2))];
  const digest = digestOf(key, pepper);
  t.equal(digest.length, 32);
  t.same(digestOf(key, pepper), digest);
  t.notSame(digestOf(key, other), digest);
  t.notSame(digestOf(`${key.slice(0, -1)}~`, pepper), digest);
});
