import t from 'tap';
import { NO_CREDENTIALS } from '../../src/core/caller.ts';
import { credentialsIn, sessionIn } from '../../src/core/credentials.ts';

t.test('every value of a header that came more than once counts, in any letter case', async (t) => {
  const raw = [
    'Host',
    'a',
    'Authorization',
    'Bearer 1',
    'X-API-Key',
    'k',
    'AUTHORIZATION',
    'Basic 2',
  ];
  t.strictSame(credentialsIn(raw, undefined), {
    authorization: ['Bearer 1', 'Basic 2'],
    apiKey: ['k'],
    certificate: undefined,
  });
});

t.test('names that only look alike say nothing', async (t) => {
  const raw = ['authorizatiom', 'x', 'x-api-keys', 'y', 'x_api_key', 'z', 'value', 'authorization'];
  t.equal(credentialsIn(raw, undefined), NO_CREDENTIALS);
});

t.test('a certificate alone is a credential', async (t) => {
  const certificate = { commonName: 'edge', dnsNames: [], uris: [] };
  t.match(credentialsIn(['host', 'a'], certificate), { authorization: [], certificate });
});

t.test(
  'a session has all cookies and tokens, and says whether it may change something',
  async (t) => {
    const raw = ['cookie', 'a=1', 'Cookie', 'b=2', 'X-Understudy-CSRF', 'c'];
    t.strictSame(sessionIn(raw, 'POST'), { cookie: ['a=1', 'b=2'], csrf: ['c'], isChange: true });
    t.equal(sessionIn([], 'GET').isChange, false);
    t.equal(sessionIn([], 'HEAD').isChange, false);
  },
);
