import fc from 'fast-check';
import t from 'tap';
import { withFirstKeys } from '../../../src/protocol/rest/first-keys.ts';
import { aServer, inferCall } from './builders.ts';

t.test('of a key that an object has twice the first counts, at any depth', async (t) => {
  const cases = {
    '{"a":1,"a":2}': { a: 1 },
    '{"a":1,"b":2,"a":{"a":[3,"}"]},"c":4}': { a: 1, b: 2, c: 4 },
    '[{"a":1,"\\u0061":2,"a":3},{"a":4}]': [{ a: 1 }, { a: 4 }],
    '{"a":{"b":1,"b":2},"b":{"a":3,"a":"\\\\"}}': { a: { b: 1 }, b: { a: 3 } },
    '{"a" : [ {"a":1} , {"a":2} ] , "a" : 3 }': { a: [{ a: 1 }, { a: 2 }] },
    '{"a":"a","b":"a\\"","a\\"":1}': { a: 'a', b: 'a"', 'a"': 1 },
    '{"__proto__":1,"__proto__":2}': JSON.parse('{"__proto__":1}'),
  };
  for (const [text, value] of Object.entries(cases))
    t.same(JSON.parse(withFirstKeys(text)), value, text);
});

t.test('text in which each key is there once comes back as it is', async () => {
  fc.assert(
    fc.property(fc.json(), (text) => withFirstKeys(text) === text),
    { numRuns: 500 },
  );
});

/** Members in their order, keys given again and again among them. */
const MEMBERS = fc.array(fc.tuple(fc.constantFrom('a', 'b', '"', '\\', 'ä'), fc.jsonValue()));

t.test('any members give what a map that is filled once for each key holds', async () => {
  fc.assert(
    fc.property(MEMBERS, (members) => {
      const text = members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
      const first = new Map<string, unknown>([...members].reverse());
      const found = Object.entries(JSON.parse(withFirstKeys(`{${text.join(',')}}`)));
      return (
        found.length === first.size &&
        found.every(([key, value]) => JSON.stringify(value) === JSON.stringify(first.get(key)))
      );
    }),
    { numRuns: 500 },
  );
});

t.test('a request is read so, its tensors included, and has to be JSON all the same', async (t) => {
  const { app } = aServer();
  const input = (...data: readonly string[]): string =>
    `{"name":"x","datatype":"FP32","shape":[1,2],${data.map((each) => `"data":${each}`).join(',')}}`;
  const ask = async (id: string, ...data: readonly string[]) => {
    const answer = await app.inject(inferCall(`{${id},"inputs":[${input(...data)}]}`));
    return { status: answer.statusCode, body: answer.json() };
  };
  t.match(await ask('"id":"a","id":"b"', '[1,2]', '[1,2,3]'), { status: 200, body: { id: 'a' } });
  t.match(await ask('"id":"a","id":1', '[1,2,3]', '[1,2]'), {
    status: 400,
    body: { error: /found 3/ },
  });
  t.match(await ask('"id":"a","id" 1', '[1,2]'), { status: 400, body: { error: /parse/ } });
});
