import path from 'node:path';
import t from 'tap';
import { createTimeSlicer } from '../../src/concurrency/time-slicer.ts';
import { ANY_ASKER } from '../../src/core/entrance.ts';
import { EXTENSIONS } from '../../src/protocol/extensions.ts';
import {
  HEALTH,
  INFERENCE,
  loadDefinitions,
  methodsOf,
} from '../../src/protocol/grpc/definitions.ts';
import { MemoryBudget } from '../../src/protocol/memory-budget.ts';
import { BodyMemory } from '../../src/protocol/rest/body-memory.ts';
import type { RestRoute } from '../../src/protocol/rest/route.ts';
import { createRoutes } from '../../src/protocol/rest/routes.ts';
import { aService } from '../protocol/builders.ts';
import { LIMITS } from '../protocol/rest/builders.ts';
import { projectRoot } from '../support/project-root.ts';
import { aGateway } from './a-gateway.ts';
import { checkBlock } from './check-block.ts';
import { blocksOf, codeIn, readPage, tableRows } from './page.ts';
import { noShell } from './shell.ts';

const FILE = 'docs/reference/protocol.md';
const PAGE = readPage(FILE);
const BLOCKS = blocksOf(PAGE).filter(({ info }) => info.startsWith('sh'));

const ROUTES: readonly RestRoute[] = createRoutes({
  service: aService(),
  feedback: () => 'joined',
  limits: LIMITS,
  memory: new BodyMemory(),
  slicer: createTimeSlicer(),
  shareOf: () => new MemoryBudget(1).open(),
  names: () => ({ allowed: [], isLoopback: true }),
  askerOf: () => ANY_ASKER,
});

const namesIn = (first: string): readonly string[] =>
  tableRows(PAGE, first).flatMap(([cell]) => codeIn(cell) ?? []);

t.test('the routes are those of the server', async (t) => {
  const served = ROUTES.map(({ method, url }) => `${method} ${url}`);
  t.same([...namesIn('route')].sort(), served.sort());
});

t.test('the extensions are those that the server names', async (t) => {
  t.same([...namesIn('extension')].sort(), [...EXTENSIONS].sort());
});

t.test('each route has a command, but for the one that another page is about', async (t) => {
  const called = BLOCKS.flatMap(({ text }) => curlsIn(text));
  for (const { method, url } of ROUTES) {
    if (url === '/v1/feedback') continue;
    const pattern = new RegExp(`^${method} ${url.replaceAll(/:[a-z]+/g, '[^/]+')}$`);
    t.ok(
      called.some((call) => pattern.test(call)),
      `${method} ${url}`,
    );
  }
});

/** `POST /v2/repository/index`: the calls of curl in a block. */
function curlsIn(text: string): readonly string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => {
      const url = /\bcurl localhost:8000(\/\S*)/.exec(line)?.[1];
      const isPost = / (-d|--data-binary|-X POST)\b/.test(line);
      return url === undefined ? [] : [`${isPost ? 'POST' : 'GET'} ${url}`];
    });
}

t.test('each call of gRPC has a command', async (t) => {
  const definitions = loadDefinitions(path.join(projectRoot, 'protos'));
  const served = [INFERENCE, HEALTH].flatMap((service) =>
    Object.keys(methodsOf(definitions, service)).map((method) => `${service}/${method}`),
  );
  const called = BLOCKS.flatMap(({ text }) => [
    ...text.matchAll(/\bgrpcurl .*?localhost:8001 (\S+)/g),
  ]).map(([, call]) => call);
  t.same([...new Set(called)].sort(), served.sort());
});

t.test('every command does what is shown', { skip: noShell ?? false }, async (t) => {
  const gateway = await aGateway({ modelControl: 'explicit' });
  t.teardown(() => gateway.close());
  for (const block of BLOCKS) await checkBlock(t, { page: FILE, block, gateway });
});
