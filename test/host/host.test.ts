import { spawn } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import type { InferResponse } from '../../src/core/infer.ts';
import type { VersionState } from '../../src/core/version.ts';
import { CrashLog } from '../../src/host/crash-log.ts';
import type { Host } from '../../src/host/host.ts';
import { mayBecome, VersionStateMachine } from '../../src/host/version-state-machine.ts';
import { aHost } from '../support/a-host.ts';
import { aCrashingModel, aModelFile } from '../support/a-model-file.ts';
import { aFakeSource, anOnnxSource } from '../support/a-source.ts';
import { aTensor, valuesOf } from '../support/a-tensor.ts';
import { anInferRequest } from '../support/an-infer-request.ts';
import { projectRoot } from '../support/project-root.ts';

const FASHION = path.join(projectRoot, 'models/fashion/1/model.onnx');
const NEVER = new AbortController().signal;
const TIERS = ['thread', 'process'] as const;

function ask(host: Host, values: readonly number[], withinMs?: number): Promise<InferResponse> {
  const given = withinMs === undefined ? {} : { withinMs };
  return host.infer(anInferRequest(values, given), new AbortController().signal);
}

/** The code of the error that it rejects with, or that it answered. */
function ending(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'answer',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

for (const tier of TIERS) {
  t.test(`${tier}: answers with the version, its batch and the times`, async (t) => {
    const { host, log } = await aHost(t, { tier, source: aFakeSource('width=4&scale=2') });
    t.strictSame(host.signature.inputs, [{ name: 'x', dtype: 'FP32', shape: [-1, 4] }]);
    const answers = await Promise.all([ask(host, [1, 2, 3, 4]), ask(host, [5, 6, 7, 8])]);
    t.strictSame(
      answers.map(({ outputs }) => valuesOf(outputs[0])),
      [
        [2, 4, 6, 8],
        [10, 12, 14, 16],
      ],
    );
    t.match(answers[0], { model: 'm', version: '1', batch: { rows: 2 } });
    t.equal(answers[0]?.batch.id, answers[1]?.batch.id);
    const { queueMs, computeMs } = answers[0]?.timing ?? {};
    t.ok(Number(queueMs) >= 0 && Number(computeMs) >= 0);
    t.match(log.batches, [{ rows: 2, requests: 2 }]);
    t.equal(host.inFlight(), 0);
    await host.close();
    t.strictSame(log.states, ['loading', 'ready', 'draining', 'unloaded']);
    t.equal(await ending(ask(host, [1])), 'version_not_ready');
  });

  t.test(`${tier}: gives the wanted outputs only`, async (t) => {
    const { host } = await aHost(t, { tier });
    const none = await host.infer(anInferRequest([1], { outputs: [] }), NEVER);
    t.strictSame(none.outputs, []);
    const one = await host.infer(anInferRequest([1], { outputs: ['y'] }), NEVER);
    t.strictSame(
      one.outputs.map(({ name }) => name),
      ['y'],
    );
  });

  t.test(`${tier}: a version that cannot be loaded says why`, async (t) => {
    const file = aModelFile(Buffer.from('no model'));
    await t.rejects(aHost(t, { tier, source: anOnnxSource(file) }), {
      code: 'version_not_ready',
      message: new RegExp(`m version 1 cannot be served: .*cannot load .*${path.basename(file)}`),
    });
  });

  t.test(`${tier}: one bad request in a batch fails alone`, async (t) => {
    const { host } = await aHost(t, { tier, source: aFakeSource('throwOn=7') });
    const endings = await Promise.all([[1], [7], [2], [3]].map((x) => ending(ask(host, x))));
    t.strictSame(endings, ['answer', 'runtime_failed', 'answer', 'answer']);
  });

  t.test(`${tier}: the urgent are answered first`, async (t) => {
    const queue = { requestsMax: 64, bytesMax: 1_000_000, priorityLevels: 2, defaultPriority: 2 };
    const batch = { rowsMax: 1, delayMs: 0 };
    const { host } = await aHost(t, { tier, queue, batch, source: aFakeSource('blockMs=20') });
    const answered: string[] = [];
    const note = (id: string, priority: number) =>
      host
        .infer(anInferRequest([1, 2, 3, 4], { id, priority }), NEVER)
        .then(() => answered.push(id));
    const usual = ['a', 'b', 'c', 'd'].map((id) => note(id, 0));
    await Promise.all([...usual, note('urgent', 1), note('beyond', 9)]);
    t.ok(answered.indexOf('urgent') < answered.indexOf('c'), answered.join());
    t.equal(answered.at(-1), 'beyond');
  });

  t.test(`${tier}: a full queue, a short deadline and a caller that leaves`, async (t) => {
    const source = aFakeSource('blockMs=300&batchable=0');
    const queue = { requestsMax: 3, bytesMax: 1_000 };
    const { host } = await aHost(t, { tier, source, queue });
    const running = ending(ask(host, [1]));
    const leaving = new AbortController();
    const left = ending(host.infer(anInferRequest([2]), leaving.signal));
    const late = ending(ask(host, [3], 50));
    const more = [4, 5, 6, 7].map((value) => ending(ask(host, [value], 50)));
    leaving.abort();
    t.equal(await left, 'cancelled');
    t.equal(await late, 'deadline_exceeded');
    t.ok((await Promise.all(more)).includes('overloaded'));
    t.equal(await running, 'answer', 'and none of them harmed the one that ran');
    t.equal(await ending(host.infer(anInferRequest(), AbortSignal.abort())), 'cancelled');
  });

  t.test(`${tier}: closing answers what it has`, async (t) => {
    const { host } = await aHost(t, { tier, source: aFakeSource('blockMs=60&batchable=0') });
    const asked = [1, 2, 3].map((value) => ending(ask(host, [value])));
    await host.close();
    t.strictSame(await Promise.all(asked), ['answer', 'answer', 'answer']);
    await host.close();
  });

  t.test(`${tier}: a batch gives the same answers as its requests one by one`, async (t) => {
    const { host } = await aHost(t, { tier, source: anOnnxSource(FASHION) });
    const images = Array.from({ length: 8 }, (_, image) =>
      aTensor(
        Array.from({ length: 784 }, (_, pixel) => ((image * 31 + pixel * 7) % 256) / 255),
        { name: 'image', shape: [1, 1, 28, 28] },
      ),
    );
    const infer = (image: (typeof images)[0]) =>
      host.infer(anInferRequest([], { inputs: [image] }), NEVER);
    const together = await Promise.all(images.map(infer));
    t.ok(together.some(({ batch }) => batch.rows > 1));
    for (const [at, image] of images.entries()) {
      const single = await infer(image);
      const [a, b] = [valuesOf(single.outputs[0]), valuesOf(together[at]?.outputs[0])];
      t.equal(a.length, 10);
      // Matrix kernels differ by batch size in the last bits; the claim is the same row, not the same rounding.
      t.ok(a.every((value, index) => Math.abs(value - (b[index] ?? 9)) < 1e-6));
    }
  });
}

t.test('kill -9 costs the requests in the process; those that come meanwhile wait', async (t) => {
  const source = aFakeSource('blockMs=40&batchable=0');
  const { host, log } = await aHost(t, { tier: 'process', source });
  const before = [1, 2, 3].map((value) => ending(ask(host, [value])));
  const firstPid = host.pid() ?? 0;
  await Promise.race(before);
  const inside = ending(ask(host, [4]));
  await new Promise((resolve) => setImmediate(resolve));
  process.kill(firstPid, 'SIGKILL');
  t.equal(await inside, 'host_lost');
  t.equal(host.state().kind, 'ready');
  const after = await Promise.all([5, 6, 7].map((value) => ending(ask(host, [value]))));
  t.strictSame(after, ['answer', 'answer', 'answer']);
  t.not(host.pid(), firstPid);
  t.match(log.crashes, [{ signal: 'SIGKILL' }]);
  t.ok((log.crashes[0]?.inFlight ?? 0) >= 1);
});

t.test('kill -9 under load fails at most what was in flight', async (t) => {
  const { host, log } = await aHost(t, { tier: 'process' });
  const endings: string[] = [];
  const caller = async (): Promise<void> => {
    while (endings.length < 600) {
      endings.push(await ending(ask(host, [endings.length])));
      if (endings.length === 200) process.kill(host.pid() ?? 0, 'SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: 16 }, caller));
  const failed = endings.filter((each) => each !== 'answer');
  t.ok(failed.length <= 16, `${failed.length} failed`);
  t.ok(failed.every((each) => each === 'host_lost'));
  t.equal(log.crashes.length, 1);
  t.ok(failed.length <= (log.crashes[0]?.inFlight ?? 0));
});

t.test('closing during a restart refuses what was held and leaves no process', async (t) => {
  const { host, log } = await aHost(t, { tier: 'process', source: aFakeSource('killOn=7') });
  t.equal(await ending(ask(host, [7])), 'host_lost');
  const held = ending(ask(host, [1]));
  await host.close();
  t.equal(await held, 'version_not_ready');
  t.equal(host.pid(), undefined);
  t.equal(log.states.at(-1), 'unloaded');
});

t.test('closing while a killed process is not yet gone refuses what was held', async (t) => {
  const source = aFakeSource('hangOn=7');
  const { host } = await aHost(t, { tier: 'process', source, runMsMax: 100 });
  t.equal(await ending(ask(host, [7])), 'runtime_failed');
  const held = ending(ask(host, [1]));
  await host.close();
  t.equal(await held, 'version_not_ready');
});

t.test('of a request that cannot be sent nothing stays behind', async (t) => {
  const { host } = await aHost(t, { tier: 'process' });
  const inputs = [{ ...aTensor([]), shape: [1, 0, 2 ** 32] }];
  const refused = { code: 'too_large', message: /fits 32 bits/ };
  await t.rejects(host.infer(anInferRequest([], { inputs }), NEVER), refused);
  t.equal(host.inFlight(), 0);
  await host.close();
});

t.test('a process that answers nothing any more is killed, also while closing', async (t) => {
  const { host } = await aHost(t, { tier: 'process', runMsMax: 100 });
  process.kill(host.pid() ?? 0, 'SIGSTOP');
  const asked = ending(ask(host, [1], 50));
  await host.close();
  t.equal(await asked, 'host_lost');
});

t.test('what is held during a restart is bounded in bytes, and the late make room', async (t) => {
  const source = aFakeSource('killOn=7&loadMs=300');
  const queue = { requestsMax: 2, bytesMax: 48 };
  const { host } = await aHost(t, { tier: 'process', source, queue });
  t.equal(await ending(ask(host, [7])), 'host_lost');
  const late = ending(ask(host, [1], 1));
  const held = ending(ask(host, [2]));
  t.equal(await ending(ask(host, [3, 3, 3, 3, 3, 3, 3, 3])), 'overloaded', 'too many bytes');
  await new Promise((resolve) => setTimeout(resolve, 5));
  const next = ending(ask(host, [4]));
  t.equal(await ending(ask(host, [5])), 'overloaded', 'too many requests');
  t.strictSame(await Promise.all([late, held, next]), ['deadline_exceeded', 'answer', 'answer']);
});

for (const tier of TIERS) {
  t.test(`${tier}: a load that hangs has failed, and says so`, async (t) => {
    const source = aFakeSource('loadMs=2000');
    await t.rejects(aHost(t, { tier, source, loadMsMax: 300 }), {
      code: 'version_not_ready',
      message: /loading took longer than 300 ms/,
    });
  });
}

t.test('a gateway without descriptors cannot start a process, and lives on', async (t) => {
  const file = path.join(import.meta.dirname, '../support/no-descriptors.js');
  const child = spawn('sh', ['-c', 'ulimit -n 100; exec "$0" "$1"', process.execPath, file]);
  const text = (await child.stdout.setEncoding('utf8').toArray()).join('');
  t.equal(
    text,
    'm version 1 cannot be served: no process can be started: no file descriptors are left\nalive\n',
  );
});

t.test('three crashes are a loop: reported once, refused meanwhile, tried again', async (t) => {
  const { host, log } = await aHost(t, { tier: 'process', source: aFakeSource('killOn=7') });
  for (let crash = 0; crash < 3; crash += 1) t.equal(await ending(ask(host, [7])), 'host_lost');
  t.equal(log.crashLoops.length, 1);
  t.match(log.crashLoops[0], /exited \(SIGKILL\)/);
  t.equal(host.state().kind, 'loading');
  t.equal(await ending(ask(host, [1])), 'version_not_ready');
});

// A real graph that overflows the processor's integer division.
t.test(
  'native code that crashes takes its process with it, and no other',
  { skip: process.arch !== 'x64' && 'the division traps on x86-64 only' },
  async (t) => {
    const source = anOnnxSource(aModelFile(aCrashingModel()));
    const { host, log } = await aHost(t, { tier: 'process', source });
    t.equal(await ending(ask(host, [0, 0.5, 0.9, 0])), 'answer');
    t.equal(await ending(ask(host, [0, 0.5, 1, 0])), 'host_lost');
    t.match(log.crashes, [{ signal: 'SIGFPE', inFlight: 1 }]);
    t.equal(await ending(ask(host, [0, 0.5, 0.9, 0])), 'answer');
  },
);

t.test('a stuck run is killed with its process', async (t) => {
  const source = aFakeSource('hangOn=7');
  const { host, log } = await aHost(t, { tier: 'process', source, runMsMax: 200 });
  await t.rejects(ask(host, [7]), {
    code: 'runtime_failed',
    message: 'the run took longer than 200 ms',
  });
  t.equal(await ending(ask(host, [1])), 'answer');
  t.match(log.crashes, [{ signal: 'SIGKILL' }]);
});

t.test('signals of the terminal do not end a child', async (t) => {
  const { host } = await aHost(t, { tier: 'process', source: aFakeSource('blockMs=100') });
  const asked = ending(ask(host, [1]));
  process.kill(host.pid() ?? 0, 'SIGTERM');
  process.kill(host.pid() ?? 0, 'SIGINT');
  t.equal(await asked, 'answer');
});

/** Runs a gateway in a process of its own: one host, one request that takes a second. */
function spawnGateway(tier: string) {
  const file = path.join(import.meta.dirname, '../support/one-request.js');
  const child = spawn(process.execPath, [file, tier], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const said = (word: string): Promise<string> =>
    new Promise((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        lines.push(...text.split('\n'));
        const line = lines.find((each) => each.startsWith(word));
        if (line !== undefined) resolve(line);
      });
    });
  const ended = new Promise<number | string | null>((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
  return { child, lines, said, ended };
}

for (const tier of TIERS) {
  t.test(`${tier}: a gateway stopped in mid-run drains and exits with 0`, async (t) => {
    const { child, lines, said, ended } = spawnGateway(tier);
    await said('running');
    child.kill('SIGTERM');
    t.equal(await ended, 0);
    t.ok(lines.includes('answered'));
  });
}

t.test('a child whose gateway dies ends by itself', async (t) => {
  const { child, said, ended } = spawnGateway('process');
  const pid = Number((await said('running')).split(' ')[1]);
  child.kill('SIGKILL');
  t.equal(await ended, 'SIGKILL');
  const alive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  while (alive()) await new Promise((resolve) => setTimeout(resolve, 20));
  t.notOk(alive());
});

t.test('no state returns from its end, and draining leads nowhere but out', async (t) => {
  const kinds: VersionState['kind'][] = ['loading', 'ready', 'draining', 'unloaded', 'failed'];
  t.strictSame(
    kinds.filter((kind) => mayBecome('unloaded', kind)),
    [],
  );
  t.strictSame(
    kinds.filter((kind) => mayBecome('failed', kind)),
    ['unloaded'],
  );
  t.strictSame(
    kinds.filter((kind) => mayBecome('draining', kind)),
    ['unloaded', 'failed'],
  );
  const machine = new VersionStateMachine(() => undefined);
  machine.become({ kind: 'ready' });
  t.throws(() => machine.become({ kind: 'unloaded' }), {
    message: /ready cannot become unloaded/,
  });
});

t.test(
  'restarts wait twice as long each time, up to ten seconds, and forget after a minute',
  async (t) => {
    const clock = new HandClock();
    const crashes = new CrashLog(clock);
    const delays = Array.from({ length: 10 }, () => crashes.add().delayMs);
    t.strictSame(delays, [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    clock.advance(60_001);
    t.strictSame(crashes.add(), { delayMs: 0, isLoop: false, isNewLoop: false });
    fc.assert(
      fc.property(fc.array(fc.nat(70_000), { maxLength: 20 }), (pauses) => {
        const log = new CrashLog(clock);
        return pauses.every((pauseMs) => {
          clock.advance(pauseMs);
          const { delayMs, isLoop, isNewLoop } = log.add();
          return delayMs >= 0 && delayMs <= 10_000 && (isLoop || !isNewLoop);
        });
      }),
    );
  },
);
