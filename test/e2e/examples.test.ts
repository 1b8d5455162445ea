import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import { understudy } from '../support/command.ts';
import { until } from '../support/until.ts';
import { aPlace, RunningGateway } from './a-gateway.ts';

const PIXELS = 784;
const random = seededRandom(1);

/** Sends an image of noise like no other, of a user. */
async function sendNoise({ httpPort }: RunningGateway, user: string): Promise<void> {
  const data = Array.from({ length: PIXELS }, random.unit);
  const body = { inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 28, 28], data }] };
  const answer = await fetch(`http://127.0.0.1:${httpPort}/v2/models/fashion/infer`, {
    method: 'POST',
    headers: { 'x-user': user, 'x-tone': 'dark' },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
}

async function json(gateway: RunningGateway, ...words: readonly string[]) {
  const { code, stdout, stderr } = await understudy([
    ...[...words, '--admin', gateway.adminUrl, '-o', 'json'],
  ]);
  if (code !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  return JSON.parse(stdout);
}

t.test(
  'differences of a rollout can be read after a kill, replayed, loaded and forgotten',
  { timeout: 150_000 },
  async (t) => {
    const place = await aPlace(t, ['1', '2']);
    const written = await readFile(place.config, 'utf8');
    const route =
      '    route: { stable: "1", sticky: header:x-user }\n    examples: { keep: bodies }\n';
    await writeFile(place.config, written.replace(/ {4}route: .*\n/, route));
    const first = await RunningGateway.start(t, place);
    await json(first, 'rollout', 'start', 'fashion', '2');
    await until('some differences are kept', async () => {
      await Promise.all(['ann', 'ben', 'cem'].map((user) => sendNoise(first, user)));
      const path = '/api/v1/models/fashion/examples?rollout=latest';
      const listed = await (await fetch(first.adminUrl + path)).json();
      const { examples } = listed as { readonly examples: readonly unknown[] };
      return examples.length >= 3;
    });
    const { examples } = await json(first, 'rollout', 'divergences', 'fashion');
    t.match(examples[0], {
      versions: { stable: '1', candidate: '2' },
      attributes: { tone: 'dark' },
    });
    const folder = join(place.ledger, 'examples', 'fashion');
    const isOnDisk = () => readdirSync(folder).filter((name) => name.endsWith('.example')).length;
    await until('they are on the disk', () => isOnDisk() >= 3);
    first.kill('SIGKILL');
    await first.ended;

    const second = await RunningGateway.start(t, place);
    const listed = await until('they are read again', async () => {
      const found = await json(second, 'examples', 'list', 'fashion', '--slice', 'tone=dark');
      return found.examples.length >= 3 && found;
    });
    t.same(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
    const [{ id, said, body }] = listed.examples;
    t.same(body.request[0].shape, [1, 1, 28, 28]);

    const http = `http://127.0.0.1:${second.httpPort}`;
    const replay = ['examples', 'replay', 'fashion', id, '--model-version', '1', '--http', http];
    t.same((await json(second, ...replay)).said.replayed, said.stable, 'stable says it again');

    const out = join(place.root, 'inputs.json');
    const exported = await json(second, 'examples', 'export', 'fashion', '--out', out);
    t.ok(exported.samples >= 3);
    t.equal(statSync(out).mode & 0o777, 0o600);
    t.equal(JSON.parse(readFileSync(out, 'utf8')).data.length, exported.samples);
    const load = ['--rate', '20', '--duration', '1s', '--warmup', '0s', '--input-data', out];
    const bench = await understudy(['bench', 'run', '--model', 'fashion', '--url', http, ...load]);
    t.match(bench.stdout + bench.stderr, /inputs\.json/, bench.stderr);

    const before = (await json(second, 'examples', 'list', 'fashion', '--limit', '500')).examples;
    const { forgotten } = await json(second, 'examples', 'forget', 'fashion', '--unit', 'ann');
    t.ok(forgotten > 0);
    const after = (await json(second, 'examples', 'list', 'fashion', '--limit', '500')).examples;
    t.ok(after.length <= before.length);
    const ledger = readdirSync(place.ledger).filter((name) => name.endsWith('.jsonl'));
    const texts = ledger.map((name) => readFileSync(join(place.ledger, name), 'utf8')).join('');
    t.match(texts, /"what":"examplesForgotten"/);
    t.notMatch(texts, /"ann"/);
    const verified = await understudy(['evidence', 'verify', place.ledger]);
    t.equal(verified.code, 0, verified.stderr);
  },
);
