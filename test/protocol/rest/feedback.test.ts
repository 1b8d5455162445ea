import t from 'tap';
import { ServeError } from '../../../src/core/errors.ts';
import type { LabelTarget } from '../../../src/core/label-source.ts';
import { feedbackItems } from '../../../src/protocol/rest/feedback-body.ts';
import type { Feedback } from '../../../src/protocol/rest/feedback-route.ts';
import { aServer } from './builders.ts';

/** A server that takes labels, and says what came to it. */
function aTaker() {
  const taken: LabelTarget[] = [];
  const feedback: Feedback = (target, label) => {
    taken.push(target);
    if (label === 'spoon') throw new ServeError('invalid_input', 'expected a known label');
    if (label === 'fast')
      throw new ServeError('overloaded', 'expected fewer', { retryAfterMs: 1_500 });
    return 'id' in target && target.id === 'early' ? 'waiting' : 'joined';
  };
  const { app } = aServer({ feedback });
  const send = async (payload: string | object, contentType = 'application/json') => {
    const headers = { 'content-type': contentType };
    const answer = await app.inject({ method: 'POST', url: '/v1/feedback', payload, headers });
    const retryAfter = answer.headers['retry-after'];
    return { status: answer.statusCode, body: answer.json(), retryAfter };
  };
  return { send, taken };
}

const LINES = 'application/x-ndjson';

t.test('a label may name its request by the id that it had, with its model', async (t) => {
  const { send, taken } = aTaker();
  t.match(await send({ id: 'a', model: 'm', label: 1 }), {
    status: 200,
    body: { state: 'joined' },
  });
  t.match(await send({ id: 'early', model: 'm', label: 1 }), {
    ...{ status: 202, body: { state: 'waiting' } },
  });
  t.strictSame(taken, [
    { id: 'a', model: 'm' },
    { id: 'early', model: 'm' },
  ]);
  for (const [item, error] of [
    [{ id: 'a', label: 1 }, /expected model to be the name/],
    [{ id: '', model: 'm', label: 1 }, /expected id .* found an empty text/],
    [{ id: 7, model: 'm', label: 1 }, /expected id .* found number/],
    [{ id: 'a', token: 't', model: 'm', label: 1 }, /expected token or id, found both/],
    [{ id: 'a', model: 'm' }, /expected a label, found none/],
  ] as const) {
    t.match(await send(item), { status: 400, body: { code: 'invalid_input', error } });
  }
});

t.test('of many labels each has its state, and a bad one loses no other', async (t) => {
  const items = [
    { token: 't', label: 1 },
    { id: 'early', model: 'm', label: 1 },
    { token: 't', label: 'spoon' },
    'nonsense',
    { id: 'a', model: 'm', label: 'fast' },
    { token: 't', label: 2 },
  ];
  const wanted = {
    counts: { joined: 2, waiting: 1, refused: 3 },
    items: [
      { state: 'joined', why: /\S/ },
      { state: 'waiting' },
      { state: 'refused', code: 'invalid_input', why: 'expected a known label' },
      { state: 'refused', code: 'invalid_input', why: /expected a JSON object/ },
      { state: 'refused', code: 'overloaded' },
      { state: 'joined' },
    ],
  };
  const { send } = aTaker();
  t.match(await send(items), { status: 200, body: wanted, retryAfter: '2' });
  const lines = items.map((item) => JSON.stringify(item)).join('\n');
  t.match(await send(`${lines}\n\n`, LINES), { status: 200, body: wanted });
  t.match(await send([]), { status: 200, body: { counts: {}, items: [] } });
});

t.test('a line that is no JSON, is cut off or is too long is refused alone', async (t) => {
  const { send } = aTaker();
  const long = JSON.stringify({ token: 't', label: 'x'.repeat(70_000) });
  const good = '{"token":"t","label":1}';
  for (const type of [LINES, 'application/jsonl', 'application/x-ndjson; charset=utf-8']) {
    t.match(await send([good, '{"token":', long, '\r', good].join('\n'), type), {
      status: 200,
      body: {
        counts: { joined: 2, refused: 2 },
        items: [{}, { code: 'invalid_input' }, { code: 'too_large', why: /65536 bytes/ }, {}],
      },
    });
  }
  const listed = await send(`[${good},${long}]`);
  t.match(listed.body, { items: [{ state: 'joined' }, { code: 'too_large' }] });
});

t.test('a million items are refused, and none of them is taken', async (t) => {
  const { send, taken } = aTaker();
  const line = '{"token":"t","label":1}\n';
  const many = await send(line.repeat(1_001), LINES);
  t.match(many, { status: 413, body: { error: /at most 1000 items, found more/ } });
  const listed = await send(Array.from({ length: 1_001 }, () => ({ token: 't', label: 1 })));
  t.match(listed, { status: 413, body: { error: /at most 1000 items, found 1001/ } });
  for (const [text, type] of [
    ['{}\n'.repeat(1_000_000), LINES],
    [`[${'1,'.repeat(600_000)}1]`, undefined],
  ] as const) {
    t.throws(() => feedbackItems(Buffer.from(text), type), {
      ...{ code: 'too_large', message: /at most 1048576 bytes/ },
    });
  }
  t.strictSame(taken, []);
});

t.test('an array that is cut off is refused as a whole', async (t) => {
  const { send, taken } = aTaker();
  t.match(await send('[{"token":"t","label":1},{"tok'), { status: 400 });
  t.strictSame(taken, []);
});
