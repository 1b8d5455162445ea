import type { FastifyInstance } from 'fastify';
import t from 'tap';
import { createAdminServer } from '../../src/console/admin.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { aServer } from '../protocol/rest/builders.ts';
import { aGateway, type RunningGateway } from './a-gateway.ts';
import { type Block, blocksOf, codeIn, readPage, sectionsOf, tableRows } from './page.ts';
import { noShell, runBlock } from './shell.ts';

const PAGE = readPage('docs/reference/api.md');
const ROLLOUT = '/api/v1/models/fashion/rollout';

t.test('the routes are those of the servers', async (t) => {
  const documented = (heading: string): readonly string[] =>
    sectionsOf(PAGE)
      .filter((section) => section.heading === heading)
      .flatMap(({ text }) => tableRows(text, 'route'))
      .flatMap(([cell]) => codeIn(cell) ?? [])
      .sort();
  const { app: data } = aServer();
  t.same(documented('Data plane'), await routesOf(data));
  const { app: admin } = createAdminServer({
    controller: {} as Controller,
    specFrom: () => {
      throw new Error('nothing is started here');
    },
    requestsPerSecond: () => undefined,
    models: () => [],
    metrics: { contentType: 'text/plain', render: async () => '' },
    ready: () => true,
    onInternalError: () => undefined,
  });
  t.same(documented('Admin API'), await routesOf(admin));
});

/** `GET /v2/models/:model`: what a server answers, without those verbs that it refuses by a route of their own. */
async function routesOf(app: FastifyInstance): Promise<readonly string[]> {
  await app.ready();
  const routes: string[] = [];
  // The tree that fastify draws: each level is four characters further in and goes on with its parent's path.
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
    await checkBlock(t, block, gateway);
    if (!block.text.includes(`${ROLLOUT} -H`)) continue;
    await mirroring(gateway);
    for (const waiting of later) await checkBlock(t, waiting, gateway);
  }
});

async function checkBlock(t: Tap, block: Block, gateway: RunningGateway): Promise<void> {
  const where = `api.md:${block.line}`;
  const { code, out, errors } = await runBlock(block.text, gateway);
  const told = (out + errors).slice(0, 200);
  if (block.info === 'sh refused') t.not(code, 0, `${where} is refused: ${told}`);
  else t.equal(code, 0, `${where} is answered: ${told}`);
  t.not(out, '', `${where} prints something`);
  const blocks = blocksOf(PAGE);
  const next = blocks[blocks.findIndex(({ line }) => line === block.line) + 1];
  if (next?.info !== 'json') return;
  t.same(unlike(JSON.parse(next.text), JSON.parse(out)), [], `${where} answers as shown: ${told}`);
}

type Tap = {
  readonly same: typeof t.same;
  readonly equal: typeof t.equal;
  readonly not: typeof t.not;
};

/** Where an answer has not the fields, or not the kinds of value, that are shown. Entries of a list stand for each other. */
function unlike(shown: unknown, found: unknown, at = ''): readonly string[] {
  if (Array.isArray(shown) && Array.isArray(found)) {
    return shown.length > 0 && found.length > 0 ? unlike(shown[0], found[0], `${at}[]`) : [];
  }
  if (isRecord(shown) && isRecord(found)) {
    return Object.entries(shown).flatMap(([key, value]) =>
      unlike(value, found[key], `${at}.${key}`),
    );
  }
  return typeof shown === typeof found && Array.isArray(shown) === Array.isArray(found)
    ? []
    : [`${at}: shown ${JSON.stringify(shown)}, found ${JSON.stringify(found)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What of a rollout's status tells that it is under way. */
type Look = { readonly step?: { readonly number: number }; readonly verdict?: string };

/** Resolves once the rollout mirrors and its first verdict is there. */
async function mirroring({ adminPort }: RunningGateway): Promise<void> {
  const look = async (): Promise<Look> =>
    (await (await fetch(`http://127.0.0.1:${adminPort}${ROLLOUT}`)).json()) as Look;
  for (let status = await look(); status.step?.number !== 2 || !status.verdict; )
    status = await look();
}
