import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { postBytes } from '../../src/load/connection.ts';
import { type LoadOrder, LoadProcess } from '../../src/load/load-process.ts';

const TIME = { timeout: 60_000 };

/** A server that answers every request with 200; `bodies` are what it was sent. */
async function aServer(t: Pick<Test, 'teardown'>): Promise<{ port: number; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('latin1')) body += part;
    bodies.push(body);
    response.writeHead(200, { 'content-length': 0 }).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, bodies };
}

function anOrder(port: number, fields: Partial<LoadOrder> = {}): LoadOrder {
  const post = (body: string) =>
    postBytes({ host: 'h', path: '/', headers: {}, body: Buffer.from(body, 'latin1') });
  return {
    host: '127.0.0.1',
    port,
    requestsBase64: ['a\xff', 'b'].map((body) => post(body).toString('base64')),
    arrivals: { kind: 'constant', perSecond: 200 },
    connectionsMax: 1,
    durationMs: 100,
    warmupMs: 0,
    deadlineMs: 1_000,
    seed: 1,
    ...fields,
  };
}

t.test(
  'a generator of its own sends its requests in turn, one load after another',
  TIME,
  async (t) => {
    const { port, bodies } = await aServer(t);
    const generator = new LoadProcess();
    t.teardown(() => generator.close());
    const first = await generator.run(anOrder(port));
    t.ok(first.sent > 2);
    t.same([first.ok, first.errors], [first.sent, {}]);
    t.same(bodies.slice(0, 3), ['a\xff', 'b', 'a\xff'], 'byte for byte');
    const second = await generator.run(anOrder(port));
    t.equal(bodies.length, first.sent + second.sent);
  },
);

t.test("a load that cannot be run is told in the generator's own words", TIME, async (t) => {
  const generator = new LoadProcess();
  t.teardown(() => generator.close());
  await t.rejects(generator.run(anOrder(1)), /the load generator failed: .*ECONNREFUSED/);
});

t.test('a generator that has ended is an error, not a wait without end', TIME, async (t) => {
  const generator = new LoadProcess();
  const report = generator.run(anOrder((await aServer(t)).port, { durationMs: 60_000 }));
  generator.close();
  await t.rejects(report, /the load generator ended/);
});
