import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import type { RecordBody } from '../../src/core/record.ts';
import { readLedger } from '../../src/ledger/file.ts';
import { aFreezableDisk, type FreezableDisk, noFreezableDisk } from '../support/a-disk.ts';
import { anIdentityModel } from '../support/a-model-file.ts';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { type Place, RunningGateway } from './a-gateway.ts';

const MODEL = anIdentityModel('FP32');
const TIME = { timeout: 200_000 };
const ROLLOUT = '/api/v1/models/m/rollout';

/** A candidate that keeps 30 % until its trial is ended. */
const CANARY = {
  candidate: '2',
  minRequests: 1_000_000,
  steps: [{ setWeight: { percent: 30 } }, { analysis: { metrics: ['errors'] } }, 'promote'],
};

/** Two versions of one model, with the ledger on a disk of its own. */
async function aPlaceOn(t: Test, disk: FreezableDisk): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-faulty-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const version of ['1', '2']) {
    const file = join(root, 'models', 'm', version, 'model.onnx');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, MODEL);
  }
  const [config, ledger] = [join(root, 'understudy.yaml'), join(disk.path, 'ledger')];
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
ledger: ${ledger}
models: { m: { route: { stable: "1" } } }
`,
  );
  return { root, config, ledger };
}

/** The versions that answer so many requests, all of which are answered. */
async function answering(gateway: RunningGateway, count = 60): Promise<readonly string[]> {
  const body = JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
  });
  const url = `http://127.0.0.1:${gateway.httpPort}/v2/models/m/infer`;
  const ask = async (): Promise<string> => {
    const answer = await fetch(url, { method: 'POST', body });
    return answer.ok ? ((await answer.json()) as { model_version: string }).model_version : 'none';
  };
  return Promise.all(Array.from({ length: count }, ask));
}

async function post(gateway: RunningGateway, path: string, body: object) {
  const answer = await fetch(gateway.adminUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function get(gateway: RunningGateway, path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(gateway.adminUrl + path)).json()) as Record<string, unknown>;
}

type Bench = {
  readonly gateway: RunningGateway;
  readonly place: Place;
  readonly disk: FreezableDisk;
};

type Fault = {
  readonly name: string;
  readonly cause: string;
  /** Causes it for real; what undoes it. */
  readonly begin: (bench: Bench) => Promise<() => unknown>;
  /** Whether the abort can be recorded all the same. */
  readonly isDurable: boolean;
};

const FAULTS: readonly Fault[] = [
  {
    name: 'full',
    cause: 'full',
    begin: async ({ gateway, disk }) => {
      const undo = await disk.fill();
      // The last block of the ledger has room for some more records.
      await until('a record finds no room', async () => {
        await answering(gateway);
        return (await gateway.metric('understudy_ledger_degraded')) === 1;
      });
      return undo;
    },
    isDurable: true,
  },
  {
    name: 'write-protected',
    cause: 'readOnly',
    begin: async ({ place: { ledger } }) => {
      const file = join(ledger, '000000000000.jsonl');
      execFileSync('chattr', ['+i', file]);
      return () => execFileSync('chattr', ['-i', file]);
    },
    isDurable: false,
  },
  { name: 'frozen', cause: 'hung', begin: async ({ disk }) => disk.freeze(), isDurable: false },
  {
    name: 'moved away',
    cause: 'gone',
    begin: async ({ place: { ledger } }) => {
      execFileSync('mv', [ledger, `${ledger}.aside`]);
      return () => execFileSync('mv', [`${ledger}.aside`, ledger]);
    },
    isDurable: false,
  },
];

async function abortUnder(t: Test, fault: Fault, bench: Bench): Promise<void> {
  const { gateway } = bench;
  const started = await post(gateway, ROLLOUT, CANARY);
  t.equal(started.status, 202, JSON.stringify(started.body));
  await until('the candidate answers', async () => (await answering(gateway)).includes('2'));
  const undo = await fault.begin(bench);
  const aborted = await post(gateway, `${ROLLOUT}/abort`, { reason: fault.name });
  t.same(
    new Set(await answering(gateway)),
    new Set(['1']),
    'the candidate gets no traffic any more',
  );
  t.match(aborted, { status: 200, body: { durable: fault.isDurable } });
  t.match(await get(gateway, ROLLOUT), { phase: 'aborted', setWeightBp: 0 });
  const ledger = await until('the gateway says so', async () => {
    const { ledger, ready } = await get(gateway, '/healthz');
    const found = ledger as { state: string; cause: string; why: string };
    return found.state === 'degraded' && found.cause === fault.cause && { ...found, ready };
  });
  t.match(ledger, { ready: true });
  t.equal(await gateway.metric('understudy_ledger_degraded'), 1);
  t.match(await post(gateway, ROLLOUT, CANARY), { status: 503, body: { code: 'ledger_degraded' } });
  t.same(new Set(await answering(gateway)), new Set(['1']));
  await undo();
  await until('the ledger takes records again', async () => {
    const { ledger } = await get(gateway, '/healthz');
    return (ledger as { state: string }).state === 'healthy';
  });
  await until('the abort is on record', async () => {
    return (await get(gateway, ROLLOUT))['onRecord'] === true;
  });
}

t.test(
  'an abort in mid-canary takes all traffic away, for every fault of the disk of the ledger',
  { timeout: 200_000, skip: noFreezableDisk },
  async (t) => {
    const disk = aFreezableDisk(t, 8_192);
    const place = await aPlaceOn(t, disk);
    const gateway = await RunningGateway.start(t, place);
    for (const fault of FAULTS)
      await t.test(fault.name, TIME, (t) => abortUnder(t, fault, { gateway, place, disk }));

    // Deleted while nothing is written: noticed and repaired without an operator.
    await rm(place.ledger, { recursive: true });
    await until('it is written again', async () => {
      const names: readonly string[] = await readdir(place.ledger).catch(() => []);
      return names.length > 2;
    });
    await until('the log says so', () => messages(gateway).some((it) => /written again/.test(it)));
    const told = messages(gateway).filter((message) => /^ledger: /.test(message));
    t.ok(told.length <= 4 * (FAULTS.length + 1), `reported, not flooded: ${told.join('\n')}`);

    const filled = await disk.fill();
    gateway.kill('SIGKILL');
    await gateway.ended;
    const again = await RunningGateway.start(t, place);
    await until('it answers', async () => (await answering(again, 1))[0] === '1');
    t.match(await get(again, '/healthz'), { ready: true, ledger: { state: 'degraded' } });
    await filled();
    again.kill('SIGTERM');
    t.same(await again.ended, { code: 0, signal: null });
    const copy = join(place.root, 'copy');
    await cp(place.ledger, copy, { recursive: true });
    for (const verb of ['verify', 'replay'])
      t.equal((await understudy(['evidence', verb, copy])).code, 0);
    t.same(
      (await abortsOf(copy)).map(({ command }) => 'reason' in command && command.reason),
      FAULTS.map(({ name }) => name),
      'every abort is on record, once and in order',
    );
  },
);

function messages(gateway: RunningGateway): readonly string[] {
  return gateway.entries().map(({ message }) => message);
}

async function abortsOf(
  ledger: string,
): Promise<readonly Extract<RecordBody, { kind: 'command' }>[]> {
  const aborts: Extract<RecordBody, { kind: 'command' }>[] = [];
  for await (const { body } of readLedger(ledger))
    if (body.kind === 'command' && body.command.kind === 'abort') aborts.push(body);
  return aborts;
}
