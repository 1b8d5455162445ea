import t from 'tap';
import { RefusalLog } from '../../src/auth/refusal-log.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { until } from '../support/until.ts';

t.test('refusals are logged immediately, then together with their number', async (t) => {
  const logged: LogEntry[] = [];
  const log = new RefusalLog((entry) => logged.push(entry), 50);
  t.teardown(() => log.close());
  log.onRefused('missing');
  t.match(logged, [{ level: 'warn', message: /^refused 1 request/, facts: { missing: 1 } }]);
  for (let count = 0; count < 1_000; count += 1) log.onRefused('key-unknown');
  log.onRefused('several');
  t.equal(logged.length, 1);
  await until('the next line', () => logged.length > 1);
  t.match(logged[1], {
    message: /^refused 1,001 request/,
    facts: { 'key-unknown': 1_000, several: 1 },
  });
});
