import t from 'tap';
import { configChanges, withoutRestarts } from '../../src/config/config-changes.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { configOf, parseSource } from '../../src/config/load.ts';

const HEAD = 'apiVersion: understudy/v1\n';

function configIn(text: string) {
  return configOf(parseSource('/etc/understudy.yaml', HEAD + text));
}

function problemOf(text: string): string {
  try {
    configIn(text);
    return 'none';
  } catch (error) {
    return error instanceof ConfigError ? error.message : String(error);
  }
}

t.test('an empty section asks everyone for a key', async (t) => {
  t.same(configIn('auth: {}').auth, {
    keys: '/etc/var/keys',
    tokens: [],
    anonymous: [],
    grants: [],
  });
  t.equal(configIn('').auth, undefined);
});

t.test('grants are on every model unless they name some', async (t) => {
  const { auth } = configIn(`
auth:
  keys: ./k
  anonymous: [{ role: infer, models: [fashion] }]
  grants: [{ to: "user:ann@example.com", role: operate }, { to: "group:ml", role: view, models: "*" }]`);
  t.same(auth, {
    keys: '/etc/k',
    tokens: [],
    anonymous: [{ role: 'infer', models: ['fashion'] }],
    grants: [
      { to: 'user:ann@example.com', role: 'operate', models: '*' },
      { to: 'group:ml', role: 'view', models: '*' },
    ],
  });
});

t.test('issuers are complete with their defaults', async (t) => {
  const { auth } = configIn(`
auth:
  tokens:
    - { issuer: "https://login.example", audience: understudy, prefix: "corp:" }
    - { issuer: ci, audience: [a, b], jwks: ./keys.json, name: job, roles: scope, prefix: "ci:" }`);
  t.same(auth?.tokens, [
    {
      ...{ issuer: 'https://login.example', audience: ['understudy'], jwks: undefined },
      ...{ name: 'sub', roles: 'roles', prefix: 'corp:' },
    },
    {
      ...{ issuer: 'ci', audience: ['a', 'b'], jwks: '/etc/keys.json' },
      ...{ name: 'job', roles: 'scope', prefix: 'ci:' },
    },
  ]);
});

const WRONG: Readonly<Record<string, RegExp>> = {
  '{ anonymous: [{ role: root }] }': /anonymous.0.role: expected one of infer, .*, found "root"/,
  '{ anonymous: [{ role: admin, models: [a] }] }': /anonymous.0.models: expected models: "\*"/,
  '{ grants: [{ to: "user:a", role: admin, models: [a] }] }': /grants.0.models: expected models/,
  '{ grants: [{ to: "key:a", role: infer }] }': /grants.0.to: expected user:NAME.*found "key:a"/,
  '{ grants: [{ to: "user:a b", role: infer }] }': /grants.0.to: expected user:NAME/,
  '{ grants: [{ to: "user:a", role: infer, models: [] }] }': /grants.0.models: expected/,
  '{ grants: [{ to: "user:a", role: infer, model: a }] }': /Did you mean "models"/,
  '{ tokens: [{ issuer: "http://login.example", audience: a }] }':
    /tokens.0.issuer: expected a URL/,
  '{ tokens: [{ issuer: "https://login.example" }] }': /tokens.0.audience: expected an audience/,
  '{ tokens: [{ issuer: a, audience: b, jwks: "http://k.example/" }] }': /tokens.0.jwks: expected/,
  '{ tokens: [{ issuer: a, audience: b, jwks: "https://u:p@k.example/" }] }': /tokens.0.jwks/,
  '{ tokens: [{ issuer: a, audience: b, jwks: k }, { issuer: a, audience: c, jwks: k, prefix: x }] }':
    /auth.tokens: expected each issuer once/,
  '{ tokens: [{ issuer: a, audience: b, jwks: k }, { issuer: c, audience: b, jwks: k, prefix: x }] }':
    /auth.tokens: expected a prefix for each/,
  '{ tokens: [{ issuer: a, audience: b, jwks: k, prefix: x }, { issuer: c, audience: b, jwks: k, prefix: "x:" }] }':
    /auth.tokens: expected a prefix for each/,
  '{ key: ./k }': /unknown key "key". Did you mean "keys"/,
};

t.test('a section that is wrong says where and how', async (t) => {
  for (const [text, expected] of Object.entries(WRONG))
    t.match(problemOf(`auth: ${text}`), expected, text);
});

t.test('the admin port is open to other machines only with a section', async (t) => {
  const open = 'server: { admin: 0.0.0.0:8002 }\n';
  t.match(problemOf(open), /2:18 server.admin: expected a loopback address, or a section auth/);
  t.equal(configIn(`${open}auth: {}`).server.admin.host, '0.0.0.0');
});

t.test('a reload applies grants, but neither adds nor removes the section', async (t) => {
  const changes = (from: string, to: string) =>
    configChanges(parseSource('a.yaml', HEAD + from), parseSource('a.yaml', HEAD + to)).map(
      ({ key, effect }) => `${key} ${effect}`,
    );
  const one = 'auth: { anonymous: [{ role: infer }] }';
  t.same(changes('auth: { keys: ./a }', 'auth: { keys: ./b, anonymous: [{ role: view }] }'), [
    'auth.anonymous applied',
    'auth.keys restart',
  ]);
  t.same(changes('', one), ['auth restart']);
  t.same(changes(one, ''), ['auth restart']);
  const standard = `auth: { keys: ${DEFAULTS.auth.keys} }`;
  t.same(changes(standard, ''), ['auth restart'], 'all of it as by default');
  t.same(changes('', standard), ['auth restart']);
});

t.test('a section that waits for a restart is not there until then', (t) => {
  const standard = parseSource('a.yaml', `${HEAD}auth: { keys: ${DEFAULTS.auth.keys} }`);
  const none = parseSource('a.yaml', HEAD);
  t.notOk('auth' in withoutRestarts(standard, configChanges(none, standard)).values);
  t.match(withoutRestarts(none, configChanges(standard, none)).values, {
    auth: { keys: DEFAULTS.auth.keys },
  });
  t.end();
});
