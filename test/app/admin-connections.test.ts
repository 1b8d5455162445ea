import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';

import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { aRepository } from '../models/a-control.ts';
import { until } from '../support/until.ts';

const CONNECTIONS_MAX = 128;

t.test('idle connections to the admin port make room for commands', async (t) => {
  const root = await aRepository(t, { 'models/none/none.txt': '' });
  const free = '127.0.0.1:0';
  const config = await loadConfig(undefined, {
    ...{ http: free, grpc: free, admin: free },
    repository: join(root, 'models'),
    ledger: join(root, 'ledger'),
  });
  const app = await startApp({ config, log: () => undefined, feedbackSecret: undefined });
  t.teardown(() => app.close());
  let open = 0;
  for (let count = 0; count < 2 * CONNECTIONS_MAX; count += 1) {
    const socket = connect(app.adminPort, '127.0.0.1').on('error', () => undefined);
    socket.once('connect', () => {
      open += 1;
    });
    socket.once('close', () => {
      open -= 1;
    });
    t.teardown(() => socket.destroy());
  }
  const answer = await fetch(`http://127.0.0.1:${app.adminPort}/metrics`);
  t.equal(answer.status, 200);
  await answer.text();
  await until('the others are closed', () => open > 0 && open <= CONNECTIONS_MAX, 8_000);
});
