import t from 'tap';
import { readAdminAddress } from '../../src/cli/admin-address.ts';
import { EXIT } from '../../src/cli/exit-code.ts';
import { readEnvironment } from '../../src/config/environment.ts';

const UNSET = readEnvironment({});

t.test('the option comes before the variable, and the variable before the default', (t) => {
  const variable = readEnvironment({ UNDERSTUDY_ADMIN: 'http://b:2' });
  t.equal(readAdminAddress('http://a:1', variable).href, 'http://a:1/');
  t.equal(readAdminAddress(undefined, variable).href, 'http://b:2/');
  t.equal(readAdminAddress(undefined, UNSET).href, 'http://127.0.0.1:8002/');
  t.end();
});

t.test('what is no address is a usage error that names where it was written', (t) => {
  const wrong = [
    '127.0.0.1:8002',
    'localhost:8002',
    'ftp://127.0.0.1',
    'http://',
    'http://127.0.0.1:0',
    'http://127.0.0.1:99999',
    'http://127.0.0.1:8002/?a=b',
    '',
  ];
  for (const text of wrong) {
    t.throws(() => readAdminAddress(text, UNSET), {
      exitCode: EXIT.usage,
      message: `--admin: expected an address such as http://127.0.0.1:8002, found "${text}"`,
    });
  }
  const variable = readEnvironment({ UNDERSTUDY_ADMIN: 'gateway' });
  t.throws(() => readAdminAddress(undefined, variable), {
    message: /^UNDERSTUDY_ADMIN: .*"gateway"/,
  });
  t.end();
});

t.test('a password in an address is refused and not repeated', (t) => {
  const read = (): URL => readAdminAddress('http://me:secret@127.0.0.1:8002', UNSET);
  t.throws(read, { exitCode: EXIT.usage, message: /found an address with a user name$/ });
  t.end();
});

t.test('a path before the API and an IPv6 address are kept', (t) => {
  t.equal(readAdminAddress('https://ops/gateway/', UNSET).href, 'https://ops/gateway/');
  t.equal(readAdminAddress('http://[::1]:8002', UNSET).href, 'http://[::1]:8002/');
  t.end();
});
