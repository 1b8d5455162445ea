import t from 'tap';
import { anInput, aServer } from './builders.ts';

const INPUT = JSON.stringify(anInput());

/** Half a surrogate pair in each place where a request may have text. */
const HALVES: Readonly<Record<string, readonly [url: string, body: string]>> = {
  'an id': ['/v2/models/m/infer', `{"id":"\\ud800","inputs":[${INPUT}]}`],
  'an id, other half first': ['/v2/models/m/infer', `{"id":"\\uDE00\\uD83D","inputs":[${INPUT}]}`],
  'a parameter': [
    '/v2/models/m/infer',
    `{"parameters":{"sequence_id":"\\uDfff"},"inputs":[${INPUT}]}`,
  ],
  'the name of a parameter': [
    '/v2/models/m/infer',
    `{"parameters":{"a\\ud800":1},"inputs":[${INPUT}]}`,
  ],
  'the name of an input': ['/v2/models/m/infer', '{"inputs":[{"name":"\\ud800"}]}'],
  'a call that is no inference': ['/v2/repository/index', '{"a":["\\ud800"]}'],
  'a long text': [
    '/v2/repository/models/m/load',
    `{"parameters":{"config":"${'a'.repeat(5_000)}\\ud800"}}`,
  ],
  feedback: ['/v1/feedback', '{"token":"a","label":"\\ud800"}'],
};

t.test('half a surrogate pair is refused wherever text may stand', async (t) => {
  const { app } = aServer();
  for (const [where, [url, payload]] of Object.entries(HALVES)) {
    const answer = await app.inject({ method: 'POST', url, payload });
    t.equal(answer.statusCode, 400, where);
    t.match(answer.json(), { code: 'invalid_input', error: /surrogate escapes in pairs/ }, where);
  }
});

t.test('a whole pair is read, and so is text that only looks like a half', async (t) => {
  const { app } = aServer();
  for (const [id, expected] of [
    ['\\ud83d\\ude00', '\u{1f600}'],
    ['\\\\ud800', '\\ud800'],
  ] as const) {
    const url = '/v2/models/m/infer';
    const payload = `{"id":"${id}","inputs":[${INPUT}]}`;
    const answer = await app.inject({ method: 'POST', url, payload });
    t.match([answer.statusCode, answer.json()], [200, { id: expected }]);
  }
});
