import t from 'tap';
import { parseJsonBody } from '../../src/console/json-body.ts';

const refusal = (message: RegExp | string) => ({ code: 'invalid_input', message });

t.test('JSON is read, names of Object among its keys included', async (t) => {
  t.same(parseJsonBody('{"a":[1,{"constructor":{"prototype":2}}]}'), {
    a: [1, { constructor: { prototype: 2 } }],
  });
});

t.test('the name __proto__ is refused wherever it stands, with its place', async (t) => {
  const places = {
    '{"__proto__":{"candidate":"2"}}': '__proto__',
    '{"candidate":"2","slices":[{},{"__proto__":"a"}]}': 'slices.1.__proto__',
    '{"split":{"\\u005f_proto__":100}}': 'split.__proto__',
  };
  for (const [text, place] of Object.entries(places)) {
    const message = `${place}: expected another name, found "__proto__"`;
    t.throws(() => parseJsonBody(text), refusal(message), text);
  }
  t.same(parseJsonBody('{"reason":"__proto__"}'), { reason: '__proto__' }, 'a text is no name');
});

t.test('what is no JSON is refused with the place where it stops being some', async (t) => {
  t.throws(() => parseJsonBody(''), refusal('the body: expected JSON, found nothing'));
  t.throws(() => parseJsonBody('{"a":1,}'), refusal(/^the body: expected JSON, found .*JSON/));
});

t.test('a body that is all depth is read', async (t) => {
  const depth = 5_000;
  t.ok(Array.isArray(parseJsonBody('['.repeat(depth) + ']'.repeat(depth))));
});
