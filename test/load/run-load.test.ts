import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { gapsOf } from '../../src/load/arrivals.ts';
import { headerOf, postBytes } from '../../src/load/connection.ts';
import { type Load, runLoad } from '../../src/load/run-load.ts';

const tools = { clock: systemClock, random: seededRandom(7) };

/** A server that answers each POST after `delayMs(n)` with the bytes it got; n counts from 0. */
async function anEchoServer(
  delayMs: (n: number) => number,
): Promise<{ server: Server; port: number }> {
  let count = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    const wait = delayMs(count);
    count += 1;
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const answer = (): unknown =>
        response.writeHead(200, { 'content-length': body.length }).end(body);
      if (wait < 0) response.destroy();
      else if (wait === 0) answer();
      else setTimeout(answer, wait);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, port: (server.address() as AddressInfo).port };
}

function aLoad(port: number, overrides: Partial<Load>): Load {
  const bytes = postBytes({ host: 'h', path: '/', headers: {}, body: Buffer.from('body') });
  return {
    host: '127.0.0.1',
    port,
    next: () => bytes,
    arrivals: { kind: 'constant', perSecond: 200 },
    connectionsMax: 50,
    durationMs: 500,
    warmupMs: 0,
    deadlineMs: 1000,
    ...overrides,
  };
}

t.test('an open-loop load offers the rate it was asked for', async (t) => {
  const { server, port } = await anEchoServer(() => 0);
  const report = await runLoad(aLoad(port, {}), tools);
  server.close();
  t.ok(Math.abs(report.sent - 100) <= 2, `sent ${report.sent} in half a second at 200 a second`);
  t.equal(report.ok, report.sent);
});

// A closed loop would send one request, wait, and report one slow answer.
t.test(
  'a stall of the server is felt by every request that should have started during it',
  async (t) => {
    const { server, port } = await anEchoServer((n) => (n === 10 ? 250 : 0));
    const report = await runLoad(aLoad(port, { connectionsMax: 1 }), tools);
    server.close();
    t.ok(report.latency.p90Ms > 100, `p90 ${report.latency.p90Ms} ms`);
    t.ok(report.service.p90Ms < 50, `service p90 ${report.service.p90Ms} ms`);
  },
);

t.test(
  'a broken connection is an error, and what waited behind it is sent on a new one',
  async (t) => {
    const { server, port } = await anEchoServer((n) => (n === 3 ? -1 : 0));
    const report = await runLoad(aLoad(port, { connectionsMax: 1 }), tools);
    server.close();
    const broken = Object.entries(report.errors).filter(([kind]) => kind.startsWith('connection'));
    t.equal(broken.length, 1);
    t.equal(report.ok, report.sent - 1);
  },
);

t.test('a load ends when there is nothing left to send', async (t) => {
  const { server, port } = await anEchoServer(() => 0);
  const bytes = postBytes({ host: 'h', path: '/', headers: {}, body: Buffer.alloc(0) });
  const left = [bytes, bytes, bytes];
  const report = await runLoad(
    aLoad(port, { next: () => left.pop(), arrivals: { kind: 'closed', concurrency: 2 } }),
    tools,
  );
  server.close();
  t.equal(report.ok, 3);
});

t.test('Poisson arrivals have the mean of their rate and repeat from their seed', async (t) => {
  const draw = (): number[] => {
    const gap = gapsOf({ kind: 'poisson', perSecond: 100 }, seededRandom(3));
    return Array.from({ length: 20_000 }, gap);
  };
  const gaps = draw();
  const meanMs = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  t.ok(Math.abs(meanMs - 10) < 0.3, `mean gap ${meanMs} ms`);
  t.same(gaps, draw());
});

t.test('a header is found whatever its case', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-A: b';
  t.equal(headerOf(head, 'content-length'), '12');
  t.equal(headerOf(head, 'x-a'), 'b');
  t.equal(headerOf(head, 'x-b'), undefined);
});
