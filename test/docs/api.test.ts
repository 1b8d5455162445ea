import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { createAdminServer } from '../../src/console/admin.ts';
import { HEALTHY } from '../../src/ledger/ledger.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { projectRoot } from '../support/project-root.ts';
import { aGateway, type RunningGateway } from './a-gateway.ts';
import { checkBlock } from './check-block.ts';
import { blocksOf, codeIn, readPage, sectionsOf, tableRows } from './page.ts';
import { noShell } from './shell.ts';

const FILE = 'docs/reference/api.md';
const PAGE = readPage(FILE);
const ROLLOUT = '/api/v1/models/fashion/rollout';

t.test('the routes are those of the server', async (t) => {
  const documented = sectionsOf(PAGE)
    .filter((section) => section.heading === 'Admin API')
    .flatMap(({ text }) => tableRows(text, 'route'))
    .flatMap(([cell]) => codeIn(cell) ?? [])
    .sort();
  const { app: admin } = createAdminServer({
    controller: {} as Controller,
    specFrom: () => {
      throw new Error('nothing is started here');
    },
    requestsPerSecond: () => undefined,
    models: async () => ({ models: [], isFresh: true }),
    reload: async (model) => ({ model }),
    lookAt: async () => undefined,
    label: () => 'joined',
    reloadConfig: async () => ({}),
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    ledger: () => ({ ...HEALTHY, unrecorded: 0 }),
    ready: () => true,
    onInternalError: () => undefined,
  });
  t.same(documented, await routesOf(admin));
});

/** `GET /api/v1/models/:model/route`: what a server answers, without those verbs that it refuses by a route of their own. */
async function routesOf(app: FastifyInstance): Promise<readonly string[]> {
  await app.ready();
  const routes: string[] = [];
  // The tree that fastify draws: each level is indented by four characters and continues its parent's path.
  const parents: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', path, verbs = ''] =
      /^([│ ]*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    if (path === undefined) continue;
    const level = indent.length / 4;
    const url = (parents[level - 1] ?? '') + path;
    parents[level] = url;
    if (verbs === '') continue;
    const { headers } = await app.inject({ method: 'DELETE', url });
    const allowed = headers.allow === undefined ? verbs : String(headers.allow);
    for (const verb of allowed.split(', ')) if (verb !== 'HEAD') routes.push(`${verb} ${url}`);
  }
  await app.close();
  return [...new Set(routes)].sort();
}

t.test('every command does what is shown', { skip: noShell ?? false }, async (t) => {
  const gateway = await aGateway();
  t.teardown(() => gateway.close());
  const blocks = blocksOf(PAGE);
  const later = blocks.filter(({ info }) => info === 'sh during-rollout');
  t.equal(later.length, 1);
  for (const block of blocks) {
    if (block.info !== 'sh' && block.info !== 'sh refused') continue;
    await checkBlock(t, { page: FILE, block, gateway });
    if (!block.text.includes(`${ROLLOUT} -H`)) continue;
    await mirroring(gateway);
    for (const waiting of later) await checkBlock(t, { page: FILE, block: waiting, gateway });
  }
});

/** The part of a rollout's status that shows that it is under way. */
type Look = {
  readonly step?: { readonly number: number };
  readonly metrics?: readonly { readonly metric: string; readonly samples: number }[];
};

/** Resolves once the rollout mirrors, and a verdict rests on pairs. */
async function mirroring({ adminPort, httpPort }: RunningGateway): Promise<void> {
  const isUnderWay = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}${ROLLOUT}`);
    const { step, metrics = [] } = (await answer.json()) as Look;
    const pairs = metrics.find(({ metric }) => metric === 'pairedErrors');
    return step?.number === 2 && (pairs?.samples ?? 0) > 0;
  };
  for (let sent = 1; !(await isUnderWay()); sent += 1) await infer(httpPort, sent);
}

/** Sends an image of one shade; equal ones would count once. */
async function infer(httpPort: number, shade: number): Promise<void> {
  const body = JSON.parse(readFileSync(path.join(projectRoot, 'docs/examples/infer.json'), 'utf8'));
  const [input] = body.inputs;
  input.data = Array.from({ length: 784 }, () => (shade % 256) / 255);
  const answer = await fetch(`http://127.0.0.1:${httpPort}/v2/models/fashion/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
}
