import t from 'tap';
import { decide } from '../../src/decide/decide.ts';
import { aSpec, goodEvidence } from '../decide/builders.ts';
import { World } from '../rollout/builders.ts';
import { anAdmin } from './an-admin.ts';

const LATEST = '/api/v1/models/fashion/rollout/evidence';

/** A gateway whose rollout has looked at evidence. */
async function afterLooks() {
  const world = new World();
  const admin = await anAdmin(world, {}, decide);
  await admin.controller.submit({ kind: 'start', spec: aSpec() });
  await admin.controller.loaded('fashion');
  for (let look = 0; look < 3; look += 1) {
    world.evidence = goodEvidence();
    world.clock.advance(60_000);
    await admin.controller.tick();
  }
  return { world, ...admin };
}

t.test('the latest rollout of a model is exported, and any by its id, alike', async (t) => {
  const { app, ledger } = await afterLooks();
  const [latest, byId] = await Promise.all([
    app.inject(LATEST),
    app.inject('/api/v1/rollouts/fashion-2-1/evidence'),
  ]);
  t.equal(latest.statusCode, 200);
  t.match(latest.headers['content-type'], /^application\/json/);
  t.match(latest.json(), {
    evidence: { id: 'fashion-2-1', metrics: [{ effect: { confidence: 0.95 } }] },
    chain: { head: ledger.head() },
    replayed: { decisions: 2, disagreements: 0 },
  });
  t.same(byId.json(), latest.json());
});

t.test('a browser gets one page that may load nothing', async (t) => {
  const { app } = await afterLooks();
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';
  const { headers, body } = await app.inject({ url: LATEST, headers: { accept } });
  t.match(headers['content-type'], /^text\/html/);
  t.match(headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-/);
  t.equal(headers.vary, 'accept');
  t.match(body, /^<!DOCTYPE html>[\s\S]*<svg /);
});

t.test('JSON is answered unless HTML is at least as welcome', async (t) => {
  const { app } = await afterLooks();
  const typeOf = async (accept: string): Promise<string> =>
    String((await app.inject({ url: LATEST, headers: { accept } })).headers['content-type']);
  t.match(await typeOf('application/json, text/html;q=0.5'), /json/);
  t.match(await typeOf('text/html;q=0'), /json/);
  t.match(await typeOf('*/*'), /json/);
  t.match(await typeOf('Text/HTML;q=0.9, application/json;q=0.1'), /html/);
});

t.test('what is not there is refused', async (t) => {
  const { app } = await anAdmin(new World());
  t.match((await app.inject(LATEST)).json(), { code: 'no_rollout', error: /fashion yet/ });
  const unknown = await app.inject('/api/v1/models/nope/rollout/evidence');
  t.match(unknown.json(), { code: 'model_not_found' });
  const missing = await app.inject('/api/v1/rollouts/fashion-9-9/evidence');
  t.equal(missing.statusCode, 404);
  t.match(missing.json(), { code: 'no_rollout', error: /no rollout fashion-9-9 in the ledger/ });
});

t.test('before the ledger has been read it is not known what there is', async (t) => {
  const { app } = await anAdmin(new World(), {
    ledger: () => ({
      kind: 'degraded',
      cause: 'unread',
      why: 'a slow disk',
      sinceMs: 0,
      unrecorded: 0,
    }),
  });
  const refused = await app.inject('/api/v1/rollouts/fashion-2-1/evidence');
  t.equal(refused.statusCode, 503);
  t.match(refused.json(), { code: 'not_ready', error: 'a slow disk' });
});
