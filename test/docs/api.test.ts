import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { createAdminServer } from '../../src/console/admin.ts';
import { HEALTHY } from '../../src/ledger/ledger.ts';
import type { Controller } from '../../src/rollout/controller.ts';
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
    metrics: { contentType: 'text/plain', render: async () => '' },
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
type Look = { readonly step?: { readonly number: number }; readonly verdict?: string };

/** Resolves once the rollout mirrors and its first verdict is there. */
async function mirroring({ adminPort }: RunningGateway): Promise<void> {
  const look = async (): Promise<Look> =>
    (await (await fetch(`http://127.0.0.1:${adminPort}${ROLLOUT}`)).json()) as Look;
  for (let status = await look(); status.step?.number !== 2 || !status.verdict; )
    status = await look();
}
