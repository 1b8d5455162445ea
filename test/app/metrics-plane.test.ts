import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import { createMetricsPlane } from '../../src/app/servers.ts';
import { NO_TLS } from '../../src/app/tls.ts';

/** The port, and how many pages were made. */
async function aMetricsPlane(t: Test) {
  const made: (string | undefined)[] = [];
  const server = createMetricsPlane({
    tls: NO_TLS,
    telemetry: {
      page: async (accept) => {
        made.push(accept);
        return { contentType: 'text/plain', text: 'up 1\n' };
      },
    },
  });
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  return { port, made };
}

t.test('a caller that sends a thousand scrapes ahead is cut, and costs one page', async (t) => {
  const { port, made } = await aMetricsPlane(t);
  const caller = connect(port, '127.0.0.1').on('error', () => undefined);
  const closed = once(caller, 'close');
  caller.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000));
  await closed;
  t.ok(made.length <= 1, `${made.length} pages`);
});
