import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { COMMAND, understudy } from '../support/command.ts';
import { aRolloutStatus } from './a-status.ts';

const TIME = { timeout: 100_000 };
const HOSTILE = '\u001b]0;title\u0007\u001b[2J\r\b\u009b31m\u202e';
const SHOWN = '\\u001b]0;title\\u0007\\u001b[2J\\r\\u0008\\u009b31m\\u202e';
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
const UNPRINTABLE = /[\p{Cc}\p{Cf}]/u;
const hasTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true;

/** A gateway whose every text wants to write to the terminal of who asks it. */
const answers: Readonly<Record<string, object>> = {
  '/api/v1/models': {
    isFresh: true,
    models: [
      {
        model: HOSTILE,
        reason: HOSTILE,
        leftAside: [HOSTILE],
        versions: [{ version: HOSTILE, state: HOSTILE, roles: [], reason: HOSTILE }],
      },
    ],
  },
  '/api/v1/models/a/rollout': aRolloutStatus({ why: HOSTILE, model: HOSTILE, candidate: HOSTILE }),
};
const gateway = createServer(({ url = '' }, response) => {
  const answer = answers[url] ?? { error: `first\n${HOSTILE}`, code: HOSTILE };
  response.writeHead(answers[url] ? 200 : 409).end(JSON.stringify(answer));
}).listen(0, '127.0.0.1');
await once(gateway, 'listening');
t.teardown(() => gateway.close());
const address = gateway.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
const ADMIN = ['--admin', `http://127.0.0.1:${port}`];

/** What commands of this program show in a terminal of their own, that another command sets up. */
function inTerminal(setUp: string, ...commands: readonly string[]): Promise<string> {
  const ours = commands.map((command) => `'${process.execPath}' '${COMMAND}' ${command}`);
  const script = [setUp, ...ours].join('; ');
  const child = spawn('script', ['--quiet', '--return', '--command', script, '/dev/null']);
  return text(child.stdout);
}

t.test('no text from outside reaches the terminal as a command to it', TIME, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-terminal-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, '000000000000.jsonl'), `{"v":1,"kind":"${HOSTILE}"}\n`);
  const config = join(folder, 'understudy.yaml');
  await writeFile(config, `apiVersion: understudy/v1\nserver: { name: 5, "\u202ex": 1 }\n`);
  const commands = [
    ['models', ...ADMIN],
    ['models', '-o', 'json', ...ADMIN],
    ['models', 'reload', 'a', ...ADMIN],
    ['rollout', 'get', 'a', ...ADMIN],
    ['rollout', 'abort', 'a', ...ADMIN],
    ['rollout', 'get', 'a', '-o', HOSTILE, ...ADMIN],
    ['evidence', 'verify', folder],
    ['serve', '-c', config],
    [HOSTILE],
    ['models', '--admin', HOSTILE],
  ];
  const env = { FORCE_COLOR: '1' };
  const ends = await Promise.all(commands.map((command) => understudy(command, { env })));
  for (const [at, { stdout, stderr }] of ends.entries()) {
    const said = `${stdout}${stderr}`;
    t.not(said, '');
    // Colours are the program's own.
    const rest = said.replaceAll('\n', '').replaceAll(COLOUR, '');
    t.notMatch(rest, UNPRINTABLE, `${commands[at]}`);
  }
  t.ok(ends[0]?.stdout.includes(SHOWN), 'what was there can be seen');
  t.equal(ends[4]?.stderr, `understudy: first\n  ${SHOWN}\n`, 'no line of it passes for ours');
});

t.test('a watch outlasts a gateway that restarts', TIME, async (t) => {
  const ended = aRolloutStatus({ phase: 'promoted', step: undefined, endedMs: 1 });
  const looks = [aRolloutStatus(), undefined, aRolloutStatus(), undefined, ended];
  const server = createServer((_, response) => {
    const status = looks.shift();
    if (status === undefined) response.destroy();
    else response.end(JSON.stringify(status));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const at = server.address();
  const admin = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`;
  const end = await understudy(['rollout', 'get', 'a', '--watch', '--admin', admin]);
  t.match(end, { code: 0, stdout: /promoted/, stderr: '' });
  t.equal(looks.length, 0, 'it looked until the end');
});

t.test(
  'a watch is live in a terminal without a size',
  { ...TIME, skip: !hasTerminal },
  async (t) => {
    const ended = aRolloutStatus({ phase: 'promoted', step: undefined, endedMs: 1 });
    const looks = [aRolloutStatus({ model: 'looking' }), aRolloutStatus({ model: 'looking' })];
    const server = createServer((_, response) => {
      response.end(JSON.stringify(looks.shift() ?? ended));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const at = server.address();
    const admin = `http://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`;
    const shown = await inTerminal('stty rows 0 cols 0', `rollout get a --watch --admin ${admin}`);
    t.match(shown, /looking.*promoted/s);
  },
);

t.test('texts are as wide as the terminal', { ...TIME, skip: !hasTerminal }, async (t) => {
  const commands = ['rollout start --help', 'models --admin nowhere'];
  const shown = (await inTerminal('stty cols 70', ...commands)).split('\r\n');
  t.ok(shown.length > 15, 'there is something to wrap');
  t.same(
    shown.filter((line) => line.length > 70),
    [],
  );
});

t.test('help that goes to a pipe or file has a line for each option', TIME, async (t) => {
  const { stdout } = await understudy(['rollout', 'start', '--help']);
  t.match(stdout, /^ {2}--admin <url> .*\(default: UNDERSTUDY_ADMIN, else http:[^\n]*\)$/m);
});
