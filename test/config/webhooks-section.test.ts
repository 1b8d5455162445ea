import t from 'tap';
import { configChanges } from '../../src/config/config-changes.ts';
import { configOf, parseSource } from '../../src/config/load.ts';

const aSource = (text: string) =>
  parseSource('/etc/understudy/understudy.yaml', `apiVersion: understudy/v1\n${text}`);

const hooksOf = (text: string) => configOf(aSource(text)).webhooks;

t.test('a webhook has its defaults, the name of its host, and absolute files', async (t) => {
  t.match(
    hooksOf('webhooks: [{ url: "https://hooks.example.com/T0/x", secretFile: ./hook.secret }]'),
    [
      {
        name: 'hooks.example.com',
        type: 'event',
        format: 'understudy',
        address: { url: 'https://hooks.example.com/T0/x' },
        secretFiles: ['/etc/understudy/hook.secret'],
        secretVariables: [],
        timeoutMs: 5_000,
        connectTimeoutMs: 2_000,
        retries: 5,
        everyMs: 10_000,
      },
    ],
  );
  t.match(hooksOf('webhooks: [{ urlFile: ./slack.url, timeout: 1s }]'), [
    { name: 'slack.url', address: { file: '/etc/understudy/slack.url' }, connectTimeoutMs: 1_000 },
  ]);
});

t.test('what contradicts itself is refused with its place', async (t) => {
  const wrong = [
    ['{ }', /expected either url or urlFile/],
    ['{ url: "https://a.b/", urlFile: x }', /expected either url or urlFile/],
    ['{ url: "ftp://a.b/" }', /expected an address/],
    ['{ url: "https://user:hunter2@a.b/" }', /expected an address/],
    ['{ url: "http://a.b/", secretVariable: PATH }', /begins with UNDERSTUDY_WEBHOOK_/],
    ['{ url: "http://a.b/", events: [promote] }', /loading, progressing/],
    ['{ url: "http://a.b/", type: rollback, events: [promoted] }', /is asked/],
    ['{ url: "http://a.b/", type: confirm-promotion, format: slack }', /expected understudy/],
    ['{ url: "http://a.b/", timeout: 2m }', /from 100ms to 60s/],
    ['{ url: "http://a.b/" }, { url: "https://a.b/" }', /"a.b" twice: set name/],
  ] as const;
  for (const [written, message] of wrong)
    t.throws(() => hooksOf(`webhooks: [${written}]`), message, written);
});

t.test('no message shows the address that is wrong', async (t) => {
  t.throws(() => hooksOf('webhooks: [{ url: "hxxps://a.b/T0/SECRET" }]'), {
    message: /^(?!.*SECRET)/s,
  });
});

t.test('a change of webhooks hides addresses and needs a restart', async (t) => {
  const url = 'https://hooks.example.com/services/T0/SECRET';
  const [change] = configChanges(aSource(''), aSource(`webhooks: [{ url: "${url}" }]`));
  t.match(change, {
    key: 'webhooks',
    to: '[{"url":"https://hooks.example.com/***"}]',
    effect: 'restart',
  });
});
