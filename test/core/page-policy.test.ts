import t from 'tap';
import { pagePolicy } from '../../src/core/page-policy.ts';

t.test('a page may use its own style and load nothing', (t) => {
  // printf '%s' 'a{}' | openssl dgst -sha256 -binary | base64
  const policy = pagePolicy('a{}');
  t.ok(
    policy.startsWith(
      "default-src 'none'; style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; ",
    ),
  );
  t.not(policy, pagePolicy('b{}'));
  t.end();
});
