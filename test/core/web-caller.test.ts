import t from 'tap';
import {
  type CallerNames,
  checkOrigin,
  isAllowedHost,
  isLoopbackAddress,
  isLoopbackHost,
} from '../../src/core/web-caller.ts';

const NAMES: CallerNames = { allowed: ['models.example', '.inner.example'], isLoopback: true };

t.test('addresses, and the names that are allowed, may stand in a host header', async (t) => {
  const allowed = [
    ...['models.example', 'MODELS.example:8000', 'models.example.', 'inner.example'],
    ...['a.inner.example:443', 'a.b.inner.example', '10.1.2.3:8000', '[::1]:8000', '[fe80::1]'],
    ...['localhost', 'localhost:8000'],
  ];
  for (const host of allowed) t.ok(isAllowedHost(host, NAMES), host);
  const refused = [
    ...[undefined, '', 'evil.example', 'xmodels.example', 'models.example.evil.example'],
    ...['xinner.example', 'models.example@evil.example', '10.1.2.3.evil.example', ':8000'],
    ...['localhost.evil.example', 'models.example:80:80'],
  ];
  for (const host of refused) t.notOk(isAllowedHost(host, NAMES), String(host));
});

t.test('localhost is a name of a port that only this machine can connect to', async (t) => {
  t.notOk(isAllowedHost('localhost', { ...NAMES, isLoopback: false }));
  t.ok(isAllowedHost('localhost', { allowed: ['localhost'], isLoopback: false }));
});

t.test('loopback is a whole block of addresses', async (t) => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost', 'LOCALHOST'])
    t.ok(isLoopbackAddress(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'example', ''])
    t.notOk(isLoopbackAddress(host), host);
  t.ok(isLoopbackHost('[::1]:8002'));
  t.notOk(isLoopbackHost(undefined));
});

t.test('a page may ask the server that gave it out, under a name of its own', async (t) => {
  const may = (origin: string | undefined, host: string, isOwnHost = true): boolean => {
    try {
      checkOrigin({ origin, host }, isOwnHost);
      return true;
    } catch {
      return false;
    }
  };
  t.ok(may(undefined, 'anything'), 'no page at all');
  t.ok(may('http://localhost:8000', 'localhost:8000'));
  t.ok(may('HTTPS://Models.example', 'models.EXAMPLE'), 'behind something that speaks TLS');
  t.ok(may('https://models.example', 'models.example:443'));
  t.notOk(may('http://localhost:3000', 'localhost:8000'), 'another port is another origin');
  t.notOk(may('http://models.example', 'models.example:443'));
  t.notOk(may('http://evil.example', 'models.example'));
  t.notOk(may('http://evil.example', 'evil.example', false), 'a name that leads here by rebinding');
  for (const origin of ['null', '', 'file://', 'localhost:8000', 'http://x@localhost:8000'])
    t.notOk(may(origin, 'localhost:8000'), origin);
});
