import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import t from 'tap';
import { exitCodeOf } from '../../src/cli/bench/bench.ts';
import { addBenchCommands } from '../../src/cli/bench/commands.ts';
import { EXIT } from '../../src/cli/exit-code.ts';
import type { KeptArrivals } from '../../src/load/nouns/kept-arrivals.ts';
import type { BenchRecord } from '../../src/load/nouns/result.ts';
import { aGateway } from '../docs/a-gateway.ts';
import { aComparison, aRecord, aSoak } from '../load/report/report-builders.ts';
import { COMMAND, type CommandEnd, understudy } from '../support/command.ts';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';

const TIME = { timeout: 200_000 };
t.setTimeout(2 * TIME.timeout);
const MODEL = ['-m', 'fashion', '--warmup', '100ms'] as const;
/** `script`, of util-linux, gives a program a terminal. */
const hasTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true;
const NEEDS_TERMINAL = { ...TIME, skip: hasTerminal ? false : 'script of util-linux is missing' };

const gateway = await aGateway();
t.teardown(() => gateway.close());
const HTTP = ['-u', `http://127.0.0.1:${gateway.httpPort}`] as const;
const GRPC = `grpc://127.0.0.1:${gateway.grpcPort}`;

function bench(mode: string, ...args: readonly string[]): Promise<CommandEnd> {
  return understudy(['bench', mode, ...MODEL, ...HTTP, ...args]);
}

/** A short load may have warnings on a busy machine: the exit code must be the one of what the record says. */
function recordIn({ code, stdout, stderr }: CommandEnd): BenchRecord {
  if (stdout === '') throw new Error(`expected a record, found exit code ${code}: ${stderr}`);
  const record = JSON.parse(stdout) as BenchRecord;
  t.equal(code, exitCodeOf(record), `${record.result.mode}: ${stderr.slice(-300)}`);
  return record;
}

async function recordOf(mode: string, ...args: readonly string[]): Promise<BenchRecord> {
  return recordIn(await bench(mode, ...args, '-o', 'json'));
}

/** Requests that a run offered and how they ended. */
async function figuresOf(...args: readonly string[]) {
  const { result } = await recordOf('run', ...args);
  if (result.mode !== 'run') throw new Error(`expected a run, found ${result.mode}`);
  return { ...result.report.measured, report: result.report, server: result.server };
}

t.test('a run prints what it measured, on what, and how to repeat it', TIME, async (t) => {
  const out = path.join(t.testdir(), 'made');
  const secret = 'Bearer not-for-reports';
  const header = ['--header', `authorization: ${secret}`];
  const attached = [`--header=x-one: ${secret}`, `-Hx-two: ${secret}`];
  const load = ['--rate', '100', '--duration', '1s', '--seed', '7'];
  const args = [...load, '--out', out, ...header, ...attached];
  const { conditions, result } = await recordOf('run', ...args);
  t.match(conditions.command, /^understudy bench run -m fashion .*--rate 100 .*--seed 7/);
  t.match(conditions.command, "'--header=x-one: ...' '-Hx-two: ...'");
  t.match(conditions.machine, { node: process.version, cores: Number });
  t.match(conditions.targets, [{ model: 'fashion', server: /^understudy/, versions: ['1'] }]);
  t.equal(conditions.inputs, 'synthetic (32, 1 row each)');
  if (result.mode !== 'run') throw new Error('expected a run');
  const { measured, timeline } = result.report;
  t.ok(measured.offered > 50 && measured.ok === measured.offered, `${measured.ok} answered`);
  t.equal(measured.latency.count, measured.ok);
  t.ok(measured.latency.p50Ms >= measured.service.p50Ms, 'waiting is not left out');
  t.ok(timeline.length >= 10, 'there is a time line');
  t.ok((result.server?.requests ?? 0) >= measured.ok, 'the server counted them too');
  for (const file of ['report.html', 'report.json', 'report.csv']) {
    const text = await readFile(path.join(out, file), 'utf8');
    t.ok(text.length > 500, file);
    t.notMatch(text, secret, `${file} keeps no secrets`);
  }
});

t.test('one seed offers the same requests, in one process or in two', TIME, async (t) => {
  const load = ['--rate', '100', '--duration', '1s', '--seed', '11'];
  const one = await figuresOf(...load);
  const two = await figuresOf(...load, '--processes', '2');
  const offered = ({ report }: typeof one) => report.timeline.map((each) => each.offered);
  t.same(offered(two), offered(one));
  t.equal(two.report.processes, 2);
});

t.test('every protocol answers, and answers are checked', TIME, async (t) => {
  const load = ['--rate', '50', '--duration', '500ms', '--check', '--seed', '3'];
  for (const protocol of ['rest-json', 'rest-binary', 'grpc', 'grpc-stream']) {
    const where = protocol.startsWith('grpc') ? ['-u', GRPC] : [];
    const { ok, offered } = await figuresOf(...load, ...where, '--protocol', protocol);
    t.ok(offered > 0);
    t.equal(ok, offered, protocol);
  }
});

t.test('images are sent as the model takes them', TIME, async (t) => {
  const load = ['--rate', '50', '--duration', '500ms'];
  for (const folder of ['docs/examples', 'models/_fashion-mnist']) {
    const { ok, offered } = await figuresOf(...load, '--images', path.join(projectRoot, folder));
    t.ok(offered > 0 && ok === offered, folder);
  }
});

t.test('answers that are not as a file expects them are wrong', TIME, async (t) => {
  const folder = t.testdir();
  const file = path.join(folder, 'data.json');
  const image = { content: Array.from({ length: 784 }, () => 0.5), shape: [1, 1, 28, 28] };
  const { outputs } = (await (
    await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/models/fashion`)
  ).json()) as { outputs: readonly { name: string }[] };
  const expected = { content: Array.from({ length: 10 }, () => 7), shape: [1, 10] };
  const name = outputs[0]?.name ?? '';
  const text = JSON.stringify({ data: [{ image }], validation_data: [{ [name]: expected }] });
  await writeFile(file, text);
  const load = ['--rate', '50', '--duration', '500ms', '--input-data', file];
  const end = await bench('run', ...load, '-o', 'json');
  const { stdout } = end;
  const { result } = recordIn(end);
  t.match(result, { report: { measured: { ok: 0 } } });
  t.match(stdout, /wrong answer/);
  t.match(stdout, /expected 7, found/);
});

t.test('recorded arrivals are sent as they were', TIME, async (t) => {
  const folder = t.testdir({ 'trace.csv': '# ms, user\n0, a\n150, b\n150, c\n\n420, d\n' });
  const trace = `recorded:${path.join(folder, 'trace.csv')}`;
  const { report } = await figuresOf('--arrivals', trace, '--duration', '500ms');
  const offered = (report.warmup?.offered ?? 0) + report.measured.offered;
  t.equal(offered, 4);
  const { sha256, ...told } = report.arrivals as KeptArrivals & { kind: 'recorded' };
  t.strictSame(told, { kind: 'recorded', count: 4, durationMs: 420, file: 'trace.csv' });
  t.match(sha256, /^[0-9a-f]{64}$/);
});

t.test('a soak takes recorded arrivals', TIME, async (t) => {
  const times = Array.from({ length: 120 }, (_, place) => String(20 * place)).join('\n');
  const folder = t.testdir({ 'trace.csv': times });
  const trace = `recorded:${path.join(folder, 'trace.csv')}`;
  const { code, stdout, stderr } = await bench('soak', '--arrivals', trace, '--duration', '2s');
  t.not(code, EXIT.usage, stderr);
  t.match(stdout, /Drift over the measured time/);
});

t.test('a soak whose memory could not be read to its end is inconclusive', async (t) => {
  const drifts = aSoak().drifts.map((drift) => ({ ...drift, drifts: false }));
  const whole = aSoak({ drifts });
  t.equal(exitCodeOf(aRecord(whole)), EXIT.ok);
  const memoryMiB = [...(whole.memoryMiB ?? []).slice(1), null];
  t.equal(exitCodeOf(aRecord({ ...whole, memoryMiB })), EXIT.inconclusive);
});

t.test('a comparison holds B against A, and A against itself', TIME, async (t) => {
  const load = ['--rate', '60', '--duration', '400ms', '--rounds', '3'];
  const { conditions, result } = await recordOf('compare', ...load, '--b-url', GRPC);
  t.same(
    conditions.targets.map(({ protocol }) => protocol),
    ['rest-binary', 'grpc'],
  );
  if (result.mode !== 'compare') throw new Error('expected a comparison');
  t.equal(result.blocks.length, 9);
  t.ok(result.ratios.length + result.leftOut.length > 0);
});

t.test('a comparison is inconclusive only where too few rounds can be trusted', async (t) => {
  const [first, ...others] = aComparison().blocks;
  if (first === undefined) throw new Error('expected blocks');
  const spoilt = { ...first, report: { ...first.report, warnings: ['It was late.'] } };
  const blocks = [spoilt, ...others];
  t.equal(exitCodeOf(aRecord(aComparison({ blocks }))), EXIT.ok);
  t.equal(exitCodeOf(aRecord(aComparison({ blocks, trusted: false }))), EXIT.inconclusive);
});

t.test('a sweep offers parts of what the server can take', TIME, async (t) => {
  const load = ['--loads', '0.05,0.1', '--duration', '300ms', '--deadline', '5s'];
  const { result } = await recordOf('sweep', ...load);
  if (result.mode !== 'sweep') throw new Error('expected a sweep');
  t.ok(result.capacityPerSecond > 10, `${result.capacityPerSecond} per second`);
  t.same(
    result.points.map(({ ofCapacity }) => ofCapacity),
    [0.05, 0.1],
  );
});

t.test('a rate is proven, or the exit code says that none was', TIME, async (t) => {
  const claim = ['--within', '5s', '--quantile', '0.5', '--confidence', '0.6'];
  const { code, stdout } = await bench('slo', ...claim, '--duration', '300ms', '-o', 'json');
  const { result } = JSON.parse(stdout) as BenchRecord;
  if (result.mode !== 'slo') throw new Error('expected an slo');
  t.ok(result.trials.length > 0);
  t.equal(result.perSecond !== undefined, code === EXIT.ok);
});

t.test('a soak watches the memory of a process', TIME, async (t) => {
  const load = ['--rate', '50', '--duration', '2s', '--watch-pid', String(process.pid)];
  const { code, stdout, stderr } = await bench('soak', ...load, '-o', 'json');
  t.not(code, EXIT.usage, stderr);
  const { result } = JSON.parse(stdout) as BenchRecord;
  if (result.mode !== 'soak') throw new Error('expected a soak');
  t.ok(
    (result.memoryMiB ?? []).some((mib) => (mib ?? 0) > 20),
    'a process of Node takes more than 20 MiB',
  );
});

/** By the server's own statistics. */
async function requestsServed(): Promise<number> {
  const answer = await fetch(`${HTTP[1]}/v2/models/fashion/stats`);
  const { model_stats } = (await answer.json()) as { model_stats: { inference_count: number }[] };
  return model_stats.reduce((sum, { inference_count }) => sum + inference_count, 0);
}

t.test('an interrupt ends a run early, and what there is is reported', TIME, async (t) => {
  const args = ['bench', 'run', ...MODEL, ...HTTP, '--rate', '50', '--duration', '1h'];
  const child = spawn(process.execPath, [COMMAND, ...args, '-o', 'json'], {
    stdio: 'pipe',
    detached: true,
  });
  let stdout = '';
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  const before = await requestsServed();
  await until('requests of the load', async () => (await requestsServed()) > before);
  // As a terminal does it: to the program and all that it has started.
  process.kill(-(child.pid ?? 0), 'SIGINT');
  const [code] = await once(child, 'close');
  const { result } = recordIn({ code, stdout, stderr: '' });
  t.match(result, { mode: 'run', report: { notes: [/The load ended after/] } });
});

t.test('an interrupt at a terminal does so too, and leaves a report', NEEDS_TERMINAL, async (t) => {
  const out = path.join(t.testdir(), 'made');
  const args = [
    'bench',
    'run',
    ...MODEL,
    ...HTTP,
    '--rate',
    '50',
    '--duration',
    '1h',
    '--out',
    out,
  ];
  const words = [process.execPath, COMMAND, ...args].map((word) => `'${word}'`).join(' ');
  // A pseudo-terminal, as the program asks its standard error whether it is one. In the shell's place: a shell that waits would
  // be interrupted too, and some then end with a code of their own.
  const command = `exec ${words}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null']);
  const before = await requestsServed();
  await until('requests of the load', async () => (await requestsServed()) > before + 30);
  child.stdin.write('\x03');
  const [code] = await once(child, 'exit');
  const stdout = await readFile(path.join(out, 'report.json'), 'utf8');
  const { result } = recordIn({ code, stdout, stderr: '' });
  t.match(result, { mode: 'run', report: { notes: [/The load ended after/] } });
});

t.test('what cannot be understood is said, with what was expected', TIME, async (t) => {
  const wrong: readonly (readonly [mode: string, message: RegExp, ...args: string[]])[] = [
    ['run', /--rate .*--concurrency/],
    ['run', /found both/, '--rate', '5', '--concurrency', '5'],
    ['run', /--rate: expected .*found "-5"/, '--rate=-5'],
    ['run', /--arrivals: expected poisson/, '--rate', '5', '--arrivals', 'even'],
    ['run', /--duration: expected a time/, '--rate', '5', '--duration', 'long'],
    ['run', /--protocol: expected rest-json/, '--rate', '5', '--protocol', 'grpc'],
    ['run', /--url: expected an address/, '--rate', '5', '--url', 'localhost:8000'],
    ['run', /--url: expected an address/, '--rate', '5', '--url', 'http://me:word@127.0.0.1:8000'],
    ['run', /--shape/, '--rate', '5', '--shape', 'nope:3'],
    ['run', /--header: expected/, '--rate', '5', '--header', 'nope'],
    ['run', /expected images/, '--rate', '5', '--images', t.testdir()],
    ['run', /trace: .*cannot be read|cannot be read/, '--arrivals', 'recorded:/no/trace'],
    ['compare', /--rounds: expected a whole number from 3/, '--rate', '5', '--rounds', '2'],
    ['slo', /--quantile/, '--within', '5ms', '--quantile', '99'],
    ['soak', /--watch-pid/, '--rate', '5', '--watch-pid', '999999999'],
    ['run', /--connections: expected/, '--rate', '5', '--connections', '0'],
    ['run', /--tolerance: expected/, '--rate', '5', '--check', '--tolerance', 'little'],
    ['run', /content-type/, '--rate', '5', '--header', 'content-type: text/plain'],
    ['run', /--timeout: .*no less than --deadline, 1m/, '--rate', '5', '--deadline', '1m'],
    ['slo', /--timeout: .*no less than --within, 31s/, '--within', '31s'],
    ['soak', /--rate .*recorded/],
    ['run', /--out: expected a folder to write to/, '--rate', '5', '--out', COMMAND],
    ['run', /--out: expected a folder to write to/, '--rate', '5', '--out', '/proc/no/folder'],
  ];
  // Two dozen processes would take as many seconds: the command is the same, and one shows how it ends.
  for (const [mode, message, ...args] of wrong) {
    const program = new Command('understudy').exitOverride();
    addBenchCommands(program);
    const words = ['bench', mode, ...MODEL, ...HTTP, ...args];
    const end = program.parseAsync(words, { from: 'user' });
    await t.rejects(end, { exitCode: EXIT.usage, message }, words.join(' '));
  }
  const { code, stdout, stderr } = await bench('run', '--rate=-5');
  t.match({ code, stdout }, { code: EXIT.usage, stdout: '' });
  t.match(stderr, /--rate: expected .*found "-5"/);
});

t.test('a server that is not there, and a model that it has not, are said', TIME, async (t) => {
  const away = await bench('run', '--rate', '5', '-u', 'http://127.0.0.1:9');
  t.equal(away.code, EXIT.unreachable);
  t.match(away.stderr, /nothing listens there/);
  const unknown = await bench('run', '--rate', '5', '-m', 'nope');
  t.equal(unknown.code, EXIT.unreachable);
  t.match(unknown.stderr, /nope.*fashion/);
});
