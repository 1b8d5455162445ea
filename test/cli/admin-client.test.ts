import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import t from 'tap';
import { AdminClient } from '../../src/cli/admin-client.ts';
import { CommandError, EXIT } from '../../src/cli/exit-code.ts';

/** What a client says of a server on loopback that answers like this. */
async function saidOf(server: Server, ask = asked): Promise<CommandError> {
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const error = await ask(new AdminClient({ admin: `http://127.0.0.1:${port}` })).catch(
    (thrown: unknown) => thrown,
  );
  if (error instanceof CommandError) return error;
  throw new Error(`expected a CommandError, found ${String(error)}`);
}

function asked(client: AdminClient): Promise<unknown> {
  return client.get('/api/v1/models', ['models']);
}

function http(listener: RequestListener): Server {
  return createServer(listener);
}

t.test('a server that is no gateway is distinguished from a gateway that refuses', async (t) => {
  const page = http((_, response) => {
    response.setHeader('content-type', 'text/html').end('<h1>\n  Welcome</h1>');
  });
  const otherJson = http((_, response) => {
    response.setHeader('content-type', 'application/json').end('{"status":"up"}');
  });
  const otherRefusal = http((_, response) => {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Not Found"}');
  });
  const elsewhere = http((_, response) => {
    response.writeHead(302, { location: '/login' }).end();
  });
  const found = [
    [page, /found another server: status 200, text\/html, "<h1> Welcome<\/h1>"\. Is it the admin/],
    [otherJson, /found another server: status 200, application\/json/],
    [otherRefusal, /found another server: status 404/],
    [elsewhere, /found another server: status 302, an answer of no content type/],
  ] as const;
  for (const [server, message] of found) {
    const error = await saidOf(server);
    t.equal(error.exitCode, EXIT.unreachable);
    t.match(error.message, message);
  }
  const refusal = http((_, response) => {
    response.writeHead(409).end('{"error":"rollout a-2-1 is running","code":"rollout_running"}');
  });
  t.match(await saidOf(refusal), { exitCode: EXIT.failed, message: 'rollout a-2-1 is running' });
});

t.test('a refusal says what to do about it', async (t) => {
  const hints = {
    model_not_found: /^no\. "understudy models" lists what there is\.$/,
    no_rollout: /^no\. "understudy rollout start" begins one\.$/,
    not_found: /^no\. Is the gateway of another version/,
    conflict: /^no$/,
  };
  for (const [code, message] of Object.entries(hints)) {
    const server = http((_, response) => {
      response.writeHead(404).end(JSON.stringify({ error: 'no', code }));
    });
    t.match(await saidOf(server), { exitCode: EXIT.failed, message });
  }
});

t.test('an answer that breaks off, is no HTTP, or never ends is no answer', async (t) => {
  const half = http((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{"models":', () => response.destroy());
  });
  t.match(await saidOf(half), { exitCode: EXIT.unreachable, message: /the answer broke off/ });
  const foreign = createTcpServer((socket) => {
    socket.on('error', () => undefined).end('SSH-2.0-x\r\n');
  });
  t.match(await saidOf(foreign), { exitCode: EXIT.unreachable, message: /does not speak HTTP/ });
  const endless = http((_, response) => {
    const send = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(1024 * 1024, 0x20), send);
    };
    send();
  });
  t.match(await saidOf(endless), { exitCode: EXIT.unreachable, message: /more than 64 MiB/ });
});

t.test('a gateway that is slow to answer is distinguished from none', async (t) => {
  const slow = http(() => undefined);
  const start = (client: AdminClient) => client.post('/api/v1/models/a/rollout', {}, 200);
  t.match(await saidOf(slow, start), {
    exitCode: EXIT.failed,
    message: /is there and busy: no whole answer within 200 ms\. What was asked for may still be/,
  });
});

t.test('a server that answers half and then nothing is given up', async (t) => {
  const stuck = http((_, response) => {
    response.write('{"mod');
  });
  const error = await saidOf(stuck, (client) => client.post('/api/v1/models/a/reload', {}, 200));
  t.match(error, { exitCode: EXIT.failed, message: /no whole answer within 200 ms/ });
});
