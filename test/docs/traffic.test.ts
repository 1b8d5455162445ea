import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';

const TIME = { timeout: 100_000 };
const TRAFFIC = join(projectRoot, 'docs/examples/traffic.mjs');

function traffic(...args: readonly string[]) {
  const child = spawn(process.execPath, [TRAFFIC, ...args]);
  const said = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const end = said.then(([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr }));
  return { child, end };
}

/** Knows the model; what becomes of requests is up to `onInfer`. */
async function aServer(onInfer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request: IncomingMessage, response) => {
    request.resume();
    if (request.method === 'POST') onInfer(response);
    else response.end('{"name":"fashion"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

t.test(
  'an address at which no gateway answers, or none with the model, is said',
  TIME,
  async (t) => {
    const nobody = await traffic('--url', 'http://127.0.0.1:9').end;
    t.match(nobody, {
      code: 4,
      stderr: /^traffic\.mjs: no gateway answers at http:\/\/127\.0\.0\.1:9 /,
    });
    const other = createServer((_, response) => void response.end('<h1>Hello')).listen(
      0,
      '127.0.0.1',
    );
    await once(other, 'listening');
    t.teardown(() => other.close());
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const page = await traffic('--url', `http://127.0.0.1:${port}`).end;
    t.match(page, {
      code: 4,
      stderr: /expected a gateway with the model "fashion", found 200 <h1>/,
    });
  },
);

t.test('wrong options are said, with what was expected', TIME, async (t) => {
  for (const [args, said] of [
    [['--rate', 'fast'], /--rate: expected a number above 0, found "fast"/],
    [['--url', '127.0.0.1:8000'], /--url: expected an address such as/],
    [['--colour'], /'--colour'/],
  ] as const)
    t.match(await traffic(...args).end, { code: 2, stderr: said });
});

t.test(
  'no more requests are in flight than allowed, and ctrl-C waits for them',
  TIME,
  async (t) => {
    const waiting: ServerResponse[] = [];
    const url = await aServer((response) => waiting.push(response));
    const { child, end } = traffic('--url', url, '--rate', '1000', '--in-flight', '3');
    await until('as many wait as are allowed', () => waiting.length >= 3);
    // Were there no bound, hundreds would be due by the time that the first is answered.
    waiting[0]?.end('{}');
    await until('the next one is sent', () => waiting.length >= 4);
    t.equal(waiting.length, 4);
    child.kill('SIGINT');
    const answering = setInterval(() => {
      for (const response of waiting) response.end('{}');
    }, 20);
    const { code, stdout, stderr } = await end;
    clearInterval(answering);
    t.equal(code, 0, stderr);
    const { sent, answered, failed } = JSON.parse(stdout);
    t.same([sent, answered, failed], [waiting.length, waiting.length, 0]);
  },
);

t.test('a gateway that has gone ends the traffic with what was counted', TIME, async (t) => {
  const url = await aServer((response) => response.destroy());
  const { code, stdout, stderr } = await traffic('--url', url, '--rate', '1000').end;
  t.equal(code, 4);
  t.match(stderr, /100 requests in a row reached no gateway/);
  t.match(JSON.parse(stdout), { answered: 0, firstFailure: /./ });
});
