import { readFileSync } from 'node:fs';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import t from 'tap';

import { SERVE_ERROR_CODES, ServeError } from '../../../src/core/errors.ts';
import { GRPC_STATUS, statusOf } from '../../../src/protocol/grpc/status.ts';
import { projectRoot } from '../../support/project-root.ts';

t.test('every error code is documented with its gRPC status, and no other', async (t) => {
  const page = readFileSync(path.join(projectRoot, 'docs/reference/errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| \d+ \| (\w+) \|/gm)];
  t.strictSame(
    rows.map(([, code, name]) => `${code} ${name}`).sort(),
    SERVE_ERROR_CODES.map((code) => `${code} ${status[GRPC_STATUS[code]]}`).sort(),
  );
});

t.test('a message that would break the call is made fit to be sent', async (t) => {
  const half = statusOf(new ServeError('invalid_input', 'half a \ud83d'));
  t.doesNotThrow(() => encodeURI(half.details));
  const long = statusOf(new ServeError('runtime_failed', '\ud83d\ude00'.repeat(2_000)));
  t.doesNotThrow(() => encodeURI(long.details));
  t.ok(encodeURI(long.details).length < 8_000, 'within what clients take');
});

t.test('anything that is thrown has a status', async (t) => {
  t.match(statusOf(new TypeError('secret')), { code: status.INTERNAL, details: 'internal error' });
  t.match(statusOf('text'), { code: status.INTERNAL, details: 'internal error' });
});
