import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { understudy } from '../support/command.ts';
import { projectRoot } from '../support/project-root.ts';
import { until } from '../support/until.ts';
import { aPlace, RunningGateway } from './a-gateway.ts';

const CLAIM = {
  intent: 'improve',
  steps: [
    { setMirror: { percentage: 100, twin: 0 } },
    { analysis: { metrics: ['labelledLoss', 'pairedErrors'] } },
    'promote',
  ],
};

const REQUESTS = 12;

type InferBody = { readonly inputs: readonly { readonly data: readonly number[] }[] };

/** Sends a request like no other; resolves with the token under which its answer can be labelled. */
async function tokenOf(gateway: RunningGateway, number: number): Promise<string> {
  const text = await readFile(join(projectRoot, 'docs/examples/infer.json'), 'utf8');
  const body = JSON.parse(text) as InferBody;
  const inputs = body.inputs.map((input) => ({
    ...input,
    data: [number / 100, ...input.data.slice(1)],
  }));
  const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/v2/models/fashion/infer`, {
    method: 'POST',
    body: JSON.stringify({ ...body, inputs }),
  });
  return answer.headers.get('x-understudy-feedback') ?? '';
}

async function label(gateway: RunningGateway, token: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}/v1/feedback`, {
    method: 'POST',
    body: JSON.stringify({ token, label: 9 }),
  });
  return ((await answer.json()) as { result: string }).result;
}

async function storedLines(ledger: string): Promise<readonly string[]> {
  const folder = join(ledger, 'labels');
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const logs = files.filter((file) => file.endsWith('.jsonl'));
  const texts = await Promise.all(logs.map((file) => readFile(join(folder, file), 'utf8')));
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
}

t.test(
  'a killed gateway still has the pairs that wait for labels, and takes labels of its former life',
  { timeout: 100_000 },
  async (t) => {
    const place = await aPlace(t, ['1', '2'], { labelWindow: '10m' });
    const first = await RunningGateway.start(t, place);
    const file = join(place.root, 'rollout.json');
    await writeFile(file, JSON.stringify(CLAIM));
    const start = ['rollout', 'start', 'fashion', '2', '-f', file, '--admin', first.adminUrl];
    const started = await understudy(start);
    t.equal(started.code, 0, started.stderr);
    await until('the mirror runs', async () => (await first.status()).step?.number === 2);
    const tokens: string[] = [];
    for (let number = 0; number < REQUESTS; number += 1) tokens.push(await tokenOf(first, number));
    await until(
      'all pairs wait',
      async () => (await first.status()).labelling?.waiting === REQUESTS,
    );
    const [early, late] = [tokens.slice(0, 5), tokens.slice(5)];
    for (const token of early) t.equal(await label(first, token), 'joined');
    await until('all of it is on the disk', async () => {
      return (await storedLines(place.ledger)).length === REQUESTS + early.length;
    });
    first.kill('SIGKILL');
    await first.ended;

    const second = await RunningGateway.start(t, place);
    await until('what waited is back', async () => {
      return (await second.status()).labelling?.waiting === REQUESTS;
    });
    for (const token of early) t.equal(await label(second, token), 'duplicate');
    for (const token of late) t.equal(await label(second, token), 'joined');
    const abort = ['rollout', 'abort', 'fashion', '--reason', 'over', '--admin', second.adminUrl];
    t.equal((await understudy(abort)).code, 0);
    await until('an ended rollout leaves nothing', async () => {
      return (await storedLines(place.ledger)).length === 0;
    });
  },
);
