import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { EXIT } from '../../src/cli/exit-code.ts';
import { COMMAND } from '../support/command.ts';

const TIME = { timeout: 100_000 };
const FULL = '/dev/full';
const noFull = existsSync(FULL) ? false : 'needs /dev/full';
const folder = await mkdtemp(join(tmpdir(), 'understudy-output-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

/** Runs a line of shell in which `$U` stands for the command. */
async function shell(line: string): Promise<{ code: number | null; stderr: string }> {
  const script = line.replaceAll('$U', `'${process.execPath}' '${COMMAND}'`);
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, stderr };
}

/** Runs the command with a standard output that nothing reads any more. */
async function unread(args: readonly string[], env = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env } });
  child.stdout.destroy();
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, stderr };
}

t.test(
  'a full disk is one line on standard error and a failure',
  { ...TIME, skip: noFull },
  async (t) => {
    for (const args of ['--help', '--version', `evidence verify ${folder}`]) {
      const { code, stderr } = await shell(`$U ${args} > ${FULL}`);
      t.equal(code, EXIT.failed, args);
      t.match(stderr, /^understudy: standard output cannot be written: ENOSPC[^\n]*\n$/);
    }
  },
);

t.test(
  'messages that cannot be written change no exit code',
  { ...TIME, skip: noFull },
  async (t) => {
    t.equal((await shell(`$U nonsense 2> ${FULL}`)).code, EXIT.usage);
    t.equal(
      (await shell(`$U models --admin http://127.0.0.1:9 2> ${FULL}`)).code,
      EXIT.unreachable,
    );
    t.equal((await shell(`$U --help 2> ${FULL}`)).code, EXIT.ok);
    t.equal((await shell(`$U --help > ${FULL} 2> ${FULL}`)).code, EXIT.failed);
  },
);

t.test('a text that a file takes only the start of is a failure', TIME, async (t) => {
  const file = join(folder, 'help');
  // Without the test runner's hook, which writes a file of its own as the command ends.
  const { code, stderr } = await shell(
    `trap '' XFSZ; ulimit -f 1; exec env -u NODE_OPTIONS $U bench run --help > ${file}`,
  );
  t.equal(code, EXIT.failed);
  t.match(stderr, /^understudy: standard output cannot be written: EFBIG[^\n]*\n$/);
  t.ok((await stat(file)).size > 0, 'the start was written');
});

t.test('a reader that has gone ends a command quietly, as SIGPIPE would', TIME, async (t) => {
  for (const args of [['--help'], ['evidence', 'verify', folder]]) {
    t.same(await unread(args), { code: EXIT.brokenPipe, stderr: '' });
  }
});

t.test('a demo that is interrupted, or not read, leaves nothing behind', TIME, async (t) => {
  const TMPDIR = await mkdtemp(join(folder, 'demo-'));
  t.same(await unread(['demo'], { TMPDIR }), { code: EXIT.brokenPipe, stderr: '' });
  t.same(await ours(TMPDIR), []);

  const demo = spawn(process.execPath, [COMMAND, 'demo'], { env: { ...process.env, TMPDIR } });
  const stderr = text(demo.stderr);
  await once(demo.stdout, 'data');
  t.equal((await ours(TMPDIR)).length, 1, 'it works in a temporary folder');
  demo.kill('SIGINT');
  await once(demo, 'exit');
  t.equal(demo.exitCode, 130);
  t.equal(await stderr, '');
  t.same(await ours(TMPDIR), []);
});

/** The runtime's library keeps files of its own there. */
async function ours(temporary: string): Promise<readonly string[]> {
  return (await readdir(temporary)).filter((name) => name.startsWith('understudy-'));
}
