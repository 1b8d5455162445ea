import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { createMetricsServer } from '../../src/console/metrics-server.ts';

t.test(
  'the port of scrapers serves metrics in the format they take, and nothing else',
  async (t) => {
    const server = createMetricsServer(async (accept) => ({
      contentType: accept === 'open' ? 'text/open' : 'text/plain',
      text: 'up 1\n',
    }));
    t.teardown(() => server.close());
    const { port } = await server.listen('127.0.0.1', 0);
    const at = `http://127.0.0.1:${port}`;
    const page = await fetch(`${at}/metrics`, { headers: { accept: 'open' } });
    t.equal(await page.text(), 'up 1\n');
    t.match(page.headers.get('content-type'), /^text\/open/);
    const others = [
      fetch(`${at}/api/v1/models`),
      fetch(`${at}/healthz`),
      fetch(`${at}/metrics`, { method: 'POST', body: 'x' }),
      fetch(`${at}/metrics`, { method: 'DELETE' }),
    ];
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    t.ok(
      statuses.every((status) => status === 404),
      statuses.join(),
    );
  },
);

t.test('a scraper that does not read its page is cut', async (t) => {
  // More than the buffers of both sockets hold.
  const text = 'x'.repeat(64 * 1_024 * 1_024);
  const server = createMetricsServer(async () => ({ contentType: 'text/plain', text }), 200);
  t.teardown(() => server.close());
  const { port } = await server.listen('127.0.0.1', 0);
  const accepted = once(server.app.server, 'connection');
  const caller = connect(port, '127.0.0.1').on('error', () => undefined);
  t.teardown(() => caller.destroy());
  caller.pause().write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
  const [socket]: Socket[] = await accepted;
  await new Promise((resolve) => socket?.once('close', resolve));
  t.ok(socket?.destroyed);
});
