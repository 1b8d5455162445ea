import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createAdminServer } from '../../src/console/admin.ts';
import { systemClock } from '../../src/core/clock.ts';
import { ServeError } from '../../src/core/errors.ts';
import { refused } from '../../src/core/refusal.ts';
import { openFileLedger } from '../../src/ledger/file.ts';
import { HEALTHY } from '../../src/ledger/ledger.ts';
import type { Submission } from '../../src/rollout/commands/command.ts';
import type { RolloutStatus } from '../../src/rollout/status.ts';
import type { RolloutPage } from '../../src/rollout/summary.ts';
import { aRoute, aSpec } from '../rollout/builders.ts';
import { type CommandEnd, understudy } from '../support/command.ts';
import { projectRoot } from '../support/project-root.ts';
import { aRolloutStatus, aSummary } from './a-status.ts';

const ESCAPE = '\u001b';
const TIME = { timeout: 100_000 };
const folder = await mkdtemp(join(tmpdir(), 'understudy-cli-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

/** By model: what the admin API says of its rollout. */
const statuses: Record<string, RolloutStatus> = {
  fashion: aRolloutStatus(),
  done: aRolloutStatus({ phase: 'promoted', step: undefined, endedMs: 1 }),
  worse: aRolloutStatus({ phase: 'rolledBack', step: undefined, endedMs: 1 }),
  aborted: aRolloutStatus({ phase: 'aborted', step: undefined, endedMs: 1 }),
  paused: aRolloutStatus({ phase: 'paused' }),
};
const BY_KEY = { caller: 'key:ops', address: '127.0.0.1' };
/** By model: its rollouts, newest first. */
const histories: Record<string, RolloutPage> = {
  fashion: {
    rollouts: [
      aSummary({ id: 'fashion-3-2', phase: 'aborted', endedBy: 'command', by: BY_KEY }),
      aSummary(),
    ],
    next: 'fashion-2-1',
    older: 3,
  },
  undone: {
    rollouts: [
      aSummary({ phase: 'rolledBack', decidedBy: ['undo'] }),
      aSummary({ id: 'fashion-1-0' }),
    ],
    older: 0,
  },
};
const submissions: Submission[] = [];
const bodies: unknown[] = [];
const gateway = createAdminServer({
  controller: {
    submit: async (submission) => {
      submissions.push(submission);
      if (submission.kind === 'start' && submission.spec.model === 'paused')
        return refused('rollout_running', 'rollout fashion-2-1 is running');
      return { kind: 'applied', rolloutId: 'fashion-2-1', revision: 4 };
    },
    status: (model) => statuses[model],
    detailedStatus: async (model) => statuses[model],
    exportEvidence: async () => undefined,
    list: () => Object.values(statuses),
    history: (model) => histories[model] ?? { rollouts: [], older: 0 },
    route: (model) => (model === 'fresh' ? aRoute() : undefined),
    isFenced: () => false,
    counted: (spec) => ({ ...spec, attempt: { number: 2 } }),
  },
  specFrom: async (model, body) => {
    if (model === 'strict')
      throw new ServeError('invalid_input', 'steps: expected a list of steps');
    bodies.push(body);
    return aSpec({ model });
  },
  requestsPerSecond: () => 50,
  models: async () => ({ models: [], isFresh: true }),
  reload: async (model) => ({ model }),
  lookAt: async () => undefined,
  label: () => 'joined',
  reloadConfig: async () => ({ changes: [], notes: [], dryRun: false }),
  metrics: async () => ({ contentType: 'text/plain', text: '' }),
  ledger: () => ({ ...HEALTHY, unrecorded: 0 }),
  ready: () => true,
  onInternalError: (_, error) => t.fail(String(error)),
});
const { port } = await gateway.listen('127.0.0.1', 0);
t.teardown(() => gateway.close());
const ADMIN = ['--admin', `http://127.0.0.1:${port}`];

function rollout(...args: readonly string[]): Promise<CommandEnd> {
  return understudy(['rollout', ...args, ...ADMIN]);
}

t.test('the exit code says how a rollout stands', TIME, async (t) => {
  const codes = { fashion: 0, done: 0, worse: 1, aborted: 1, paused: 3, fresh: 1, unknown: 1 };
  const models = Object.keys(codes);
  const ends = await Promise.all(models.map((model) => rollout('get', model)));
  t.same(Object.fromEntries(models.map((model, at) => [model, ends[at]?.code])), codes);
});

t.test('what is refused, wrong or out of reach has an exit code of its own', TIME, async (t) => {
  const refusedStart = await rollout('start', 'paused', '2');
  t.equal(refusedStart.code, 1);
  t.equal(refusedStart.stderr, 'understudy: rollout fashion-2-1 is running\n');
  const badSpec = await rollout('start', 'strict', '2');
  t.equal(badSpec.code, 2);
  t.match(badSpec.stderr, /steps: expected a list of steps/);
  const nowhere = `http://127.0.0.1:${await aClosedPort()}`;
  const nobody = await understudy(['rollout', 'get', 'fashion', '--admin', nowhere]);
  t.equal(nobody.code, 4);
  t.match(nobody.stderr, /no gateway answers at http:\/\/127.*ECONNREFUSED.*understudy serve/);
});

t.test(
  'a command line that cannot be understood has exit code 2 and says what was meant',
  TIME,
  async (t) => {
    const wrong: Readonly<Record<string, RegExp>> = {
      serv: /Did you mean serve/,
      'rollout gte fashion': /Did you mean get/,
      'rollout get': /missing required argument 'model'/,
      'rollout get fashion --wach': /Did you mean --watch/,
      'rollout get fashion -o text': /expected table, wide, json or yaml, found "text"/,
      'rollout start fashion 2 -f /nowhere.yaml': /\/nowhere\.yaml/,
      'rollout get ..': /expected the name of a model, found "\.\."\. "understudy models" lists/,
      'rollout start fashion 2 --rate 0': /--rate: expected a number above 0, found "0"/,
      'rollout abort fashion --reason=': /--reason: expected a text that says why, found none/,
      'demo --keep /proc':
        /--keep: expected an empty folder that can be written to, found \d+ files in \/proc/,
      'demo --keep /proc/version': /--keep: expected an empty folder .* found EEXIST/,
      // Node's own way of making folders never returns from there.
      'demo --keep /proc/no/folder': /--keep: expected an empty folder .* found ENOENT/,
      'models --admin 127.0.0.1:8002': /--admin: expected an address such as http/,
      'bench run -m a --rate 1 -u http://127.0.0.1:0': /--url: expected an address such as http/,
      'evidence verify /nowhere': /expected the folder of a ledger, found no folder \/nowhere/,
    };
    const lines = Object.keys(wrong);
    const ends = await Promise.all(lines.map((line) => understudy(line.split(' '))));
    for (const [at, { code, stderr }] of ends.entries()) {
      const line = lines[at] ?? '';
      t.equal(code, 2, line);
      t.match(stderr, wrong[line], line);
    }
    t.equal((await understudy(['--help'])).code, 0);
  },
);

t.test(
  'the version is that of package.json, and where to ask may be in the environment',
  TIME,
  async (t) => {
    const { version } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'));
    const { stdout, code } = await understudy(['--version']);
    t.equal(code, 0);
    t.match(
      stdout,
      new RegExp(`^understudy ${version} \\(Node \\d+\\.\\d+\\.\\d+, onnxruntime [\\d.]+\\)\n$`),
    );
    const env = { UNDERSTUDY_ADMIN: `http://127.0.0.1:${port}` };
    t.equal((await understudy(['rollout', 'get', 'done'], { env })).code, 0);
  },
);

t.test(
  'a rollout starts with what the file says and what the command line says over it',
  TIME,
  async (t) => {
    const file = join(folder, 'rollout.yaml');
    await writeFile(file, 'intent: equivalent\nminRequests: 42\n');
    const { code, stdout } = await rollout(
      'start',
      'fashion',
      '2',
      '--intent',
      'improve',
      '-f',
      file,
      '-o',
      'json',
    );
    t.equal(code, 0);
    t.match(JSON.parse(stdout), {
      rolloutId: 'fashion-2-1',
      revision: 4,
      plan: { requestsPerSecond: 50, steps: { length: 6 } },
    });
    t.same(bodies.at(-1), { candidate: '2', intent: 'improve', minRequests: 42 });
  },
);

t.test('a complaint about a rollout file is a line that editors follow', TIME, async (t) => {
  const file = join(folder, 'strict.yaml');
  await writeFile(file, 'intent: improve\nsteps: [{ setMirror: { percentage: 5 } }]\n');
  const { code, stderr } = await rollout('start', 'strict', '2', '-f', file);
  t.equal(code, 2);
  t.match(stderr, new RegExp(`^${file}:2:8 steps: expected [^\n]*`));
  await writeFile(file, 'intent: improve\nslices: []\nsteps:\n  - setMirror: { percentage: 5 }\n');
  t.equal((await rollout('start', 'fashion', '2', '-f', file)).code, 2);
});

t.test('a rollout that starts prints what it will take', TIME, async (t) => {
  const { stdout } = await rollout('start', 'fashion', '2', '--rate', '8');
  t.match(
    stdout,
    /^rollout fashion-2-1: version 2 is being loaded; .*\.\nExpected, .*\(at 8\.0 requests a second\):\n/,
  );
  t.match(
    stdout,
    /^ {2}2 +prove pairedErrors +about [\d,]+ requests +[\d.]+ (s|min) +for pairedErrors$/m,
  );
  t.match(stdout, /rolled back after about \d+ failed requests; stable answers those\.$/m);
  const { code, stderr } = await rollout('start', 'fashion', '2', '--rate', 'fast');
  t.equal(code, 2);
  t.match(stderr, /--rate: expected a number above 0, found "fast"/);
});

t.test('a plan is shown without beginning anything', TIME, async (t) => {
  const before = submissions.length;
  const { code, stdout } = await rollout('plan', 'fashion', '2', '--rate', '8');
  t.equal(code, 0);
  t.match(stdout, /^Expected, .*\(at 8\.0 requests a second\):\n/);
  t.match(stdout, /^Attempt 2 at these weights within 30 days: 0\.46 % is left/m);
  t.match(stdout, /^A worse candidate:\n {2}2 x the errors/m);
  t.match(
    stdout,
    /^The least that is found within maxDuration, of the candidate:\n {2}pairedErrors/m,
  );
  t.equal(submissions.length, before);
});

const BY = { caller: 'anonymous', address: '127.0.0.1' };

t.test('extend says for how long, and why', TIME, async (t) => {
  const end = await rollout('extend', 'fashion', '--for', '90m', '--reason', 'a quiet weekend');
  t.equal(end.stdout, 'rollout fashion-2-1: extend carried out\n');
  const forMs = 5_400_000;
  t.same(submissions.at(-1), {
    kind: 'extend',
    model: 'fashion',
    reason: 'a quiet weekend',
    forMs,
    by: BY,
  });
});

t.test('anchor names a version, and why', TIME, async (t) => {
  const end = await rollout('anchor', 'fashion', '1', '--reason', 'audited');
  t.match(end.stdout, 'version 1 of fashion is the anchor');
  t.match(submissions.at(-1), { kind: 'setAnchor', version: '1', reason: 'audited' });
});

t.test('promote, abort, pause and resume carry their reason', TIME, async (t) => {
  for (const kind of ['promote', 'abort', 'pause', 'resume'] as const) {
    const end = await rollout(kind, 'fashion', '--reason', 'because', '-o', 'json');
    t.same(
      [end.code, JSON.parse(end.stdout)],
      [0, { rolloutId: 'fashion-2-1', revision: 4, durable: true }],
    );
    t.same(submissions.at(-1), { kind, model: 'fashion', reason: 'because', by: BY });
  }
});

t.test('undo names the promotion that it means, so that it can be repeated', TIME, async (t) => {
  const undone = async (...args: readonly string[]): Promise<string | undefined> => {
    const { code, stderr } = await rollout('undo', ...args);
    t.equal(code, 0, stderr);
    const last = submissions.at(-1);
    return last?.kind === 'undo' ? last.rolloutId : 'no undo';
  };
  t.equal(await undone('fashion'), 'fashion-2-1', 'the last promotion');
  t.equal(await undone('undone'), 'fashion-2-1', 'what is undone, and not the promotion before');
  t.equal(await undone('undone', '--rollout', 'fashion-1-0'), 'fashion-1-0');
  t.equal(await undone('fresh'), undefined, 'the gateway says that there is none');
});

t.test(
  'the rollouts of all models are a line each, and those of one are its history',
  TIME,
  async (t) => {
    const [listed, wide, past, none] = await Promise.all([
      rollout('list'),
      rollout('list', '-o', 'wide'),
      rollout('history', 'fashion', '--limit', '2'),
      rollout('history', 'fresh'),
    ]);
    t.equal(listed.stdout.trim().split('\n').length, 1 + Object.keys(statuses).length);
    t.match(wide.stdout, /^MODEL +VERSIONS .* ID +INTENT +METRICS +LEDGER +WAITS FOR$/m);
    t.match(past.stdout, /^fashion-3-2 .* ✖ aborted +.* key:ops: wrong build/m);
    t.match(
      past.stdout,
      /^More: understudy rollout history fashion --before fashion-2-1\n3 older rollouts/m,
    );
    t.equal(none.stdout, 'No rollouts of fresh yet.\n');
    t.match(await rollout('history', 'fashion', '--limit', '51'), {
      code: 2,
      stderr: /--limit: expected/,
    });
  },
);

t.test('without a terminal one look is printed, plain, also while watching', TIME, async (t) => {
  const once = await rollout('get', 'fashion');
  t.equal(once.stdout.match(/^Name:/gm)?.length, 1);
  t.notMatch(once.stdout, ESCAPE);
  const watched = await rollout('get', 'worse', '--watch');
  t.equal(watched.stdout.match(/^Name:/gm)?.length, 1);
  t.equal(watched.code, 1);
  const json = await rollout('get', 'fashion', '-o', 'json');
  t.same(JSON.parse(json.stdout), JSON.parse(JSON.stringify(statuses['fashion'])));
});

t.test(
  'colours are written where they are wanted, and neither --no-color nor NO_COLOR wants them',
  TIME,
  async (t) => {
    const args = ['rollout', 'get', 'fashion', ...ADMIN];
    const env = { FORCE_COLOR: '1' };
    const ends = await Promise.all([
      understudy(args, { env }),
      understudy([...args, '--no-color'], { env }),
      understudy(['--no-color', ...args], { env }),
      understudy(args, { env: { ...env, NO_COLOR: '1' } }),
      understudy(args, { env: { FORCE_COLOR: '0' } }),
      understudy(args, { env: { CI: 'true' } }),
    ]);
    t.same(
      ends.map(({ stdout }) => stdout.includes(ESCAPE)),
      [true, false, false, false, false, false],
    );
  },
);

t.test('evidence that is whole, broken or missing is distinguished', TIME, async (t) => {
  const whole = join(folder, 'ledger');
  const ledger = await openFileLedger(whole, { clock: systemClock });
  const command = { kind: 'abort', model: 'fashion', reason: 'none runs' } as const;
  await ledger.append({ kind: 'command', command, refused: 'no rollout' }, ledger.head());
  await ledger.append({ kind: 'command', command, refused: 'no rollout' }, ledger.head());
  await ledger.close();
  const evidence = (...args: readonly string[]) => understudy(['evidence', ...args, '-o', 'json']);

  const verified = await evidence('verify', whole);
  t.equal(verified.code, 0, verified.stderr);
  t.match(JSON.parse(verified.stdout), { records: 2, head: ledger.head() });
  const replayed = await evidence('replay', whole);
  t.match(JSON.parse(replayed.stdout), { records: 2, decisions: 0, disagreements: [] });
  t.equal(replayed.code, 3, 'no decision was looked at');
  const empty = await evidence('verify', folder);
  t.equal(empty.code, 3, 'no record was looked at');
  t.equal(JSON.parse(empty.stdout).records, 0);

  const segment = join(whole, '000000000000.jsonl');
  const text = await readFile(segment, 'utf8');
  await writeFile(segment, text.replace('none runs', 'some runs'));
  const broken = await evidence('verify', whole);
  t.equal(broken.code, 1);
  t.match(JSON.parse(broken.stdout), { records: 0, broken: { line: 1 } });
});

async function aClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
