import t, { type Test } from 'tap';
import { seededRandom } from '../../src/core/random.ts';
import type { RecordBody } from '../../src/core/record.ts';
import type { RolloutSpec } from '../../src/core/rollout.ts';
import type { Webhook } from '../../src/core/webhook.ts';
import type { MemoryLedger } from '../../src/ledger/memory.ts';
import type { Controller } from '../../src/rollout/controller.ts';
import { replay } from '../../src/rollout/history/replay.ts';
import { Webhooks } from '../../src/webhooks/webhooks.ts';
import {
  aSpec,
  decideByLabel,
  evidenceOf,
  PROMOTE,
  PROVE,
  SHADOW,
  World,
} from '../rollout/builders.ts';
import { type Answering, aReceiver, type Received, status } from '../support/a-receiver.ts';
import { aWebhook } from '../support/a-webhook.ts';
import { until } from '../support/until.ts';

/** From shadow to promotion without a share. */
const SHORT = [SHADOW, PROVE, PROMOTE];

type Asked = {
  readonly world: World;
  readonly controller: Controller;
  readonly ledger: MemoryLedger;
  readonly received: readonly Received[];
  /** Answers and failures by now. */
  readonly results: readonly string[];
};

/** A running rollout that a real receiver is asked about. */
async function aTrial(
  t: Test,
  answer: Answering,
  { spec = {}, ...hook }: Partial<Webhook> & { readonly spec?: Partial<RolloutSpec> },
): Promise<Asked> {
  const receiver = await aReceiver(answer);
  t.teardown(receiver.close);
  const world = new World();
  const results: string[] = [];
  const webhooks = new Webhooks({
    hooks: [aWebhook({ name: 'gate', url: receiver.url, timeoutMs: 20_000, ...hook })],
    clock: world.clock,
    random: seededRandom(1),
    variables: {},
    version: '1',
    taskOf: () => 'a task',
    onResult: (_, result) => results.push(result),
    log: () => undefined,
  });
  t.teardown(() => webhooks.close(0));
  world.hooks = webhooks.questions;
  const booted = world.boot();
  await world.resume(booted.controller);
  await booted.controller.submit({ kind: 'start', spec: aSpec({ steps: SHORT, ...spec }) });
  await booted.controller.loaded('fashion');
  return { ...booted, world, received: receiver.received, results };
}

async function tick({ world, controller }: Asked): Promise<void> {
  world.clock.advance(1_000);
  await controller.tick();
}

/** Looks until the rollout is there. */
async function untilPhase(trial: Asked, phase: string): Promise<void> {
  await until(`it is ${phase}`, async () => {
    await tick(trial);
    return trial.controller.status('fashion')?.phase === phase;
  });
}

/** Looks until something was answered, and what that was has been seen. */
async function untilAnswered(trial: Asked, count = 1): Promise<void> {
  await until('it is answered', async () => {
    await tick(trial);
    return trial.results.length >= count;
  });
  await tick(trial);
}

function decisionsOf({ ledger }: Asked) {
  return ledger
    .records()
    .map(({ body }) => body)
    .filter((body): body is Extract<RecordBody, { kind: 'decision' }> => body.kind === 'decision');
}

async function assertReplays(t: Test, { ledger }: Asked): Promise<void> {
  const { disagreements } = await replay(ledger.records(), decideByLabel);
  t.same(disagreements, []);
}

const CONFIRM = { type: 'confirm-promotion' } as const;
const ROLL_BACK = { type: 'rollback' } as const;

t.test('a promotion waits for its confirmation, says so, and then takes place', async (t) => {
  let isFriday = true;
  const answer: Answering = (response) =>
    isFriday
      ? response.writeHead(403).end('{"reason":"not on\\na Friday"}')
      : response.writeHead(200).end('ok');
  const trial = await aTrial(t, answer, CONFIRM);
  trial.world.evidence = evidenceOf('pass');
  await untilAnswered(trial);
  t.match(trial.controller.status('fashion'), {
    phase: 'progressing',
    why: /waits for gate to confirm \(answered 403: not on a Friday\)$/,
  });
  const { type, data } = JSON.parse(trial.received[0]?.body ?? '{}');
  t.match({ type, data }, { type: 'confirm-promotion', data: { rollout: { id: 'fashion-2-1' } } });
  isFriday = false;
  await untilPhase(trial, 'promoted');
  const ids = trial.received.map(({ headers }) => headers['webhook-id']);
  t.equal(new Set(ids).size, ids.length, 'no question looks like one that was answered');
  const said = decisionsOf(trial).map(({ hooks }) => hooks?.confirm[0]?.said);
  t.same(new Set(said), new Set(['nothing', 'no', 'yes']), 'each is on record');
  t.match(decisionsOf(trial).at(-1), {
    decision: { action: { kind: 'promote' } },
    hooks: { confirm: [{ hook: 'gate', said: 'yes', text: 'answered 200: ok' }] },
  });
  await assertReplays(t, trial);
});

t.test('no question is asked before everything is proven', async (t) => {
  const trial = await aTrial(t, status(200), CONFIRM);
  trial.world.evidence = evidenceOf('inconclusive');
  for (let at = 0; at < 5; at += 1) await tick(trial);
  t.same(trial.received, []);
});

t.test('a receiver that hangs holds the promotion, and harm still rolls back', async (t) => {
  const trial = await aTrial(t, () => undefined, CONFIRM);
  trial.world.evidence = evidenceOf('pass');
  await until('it was asked', async () => {
    await tick(trial);
    return trial.received.length > 0;
  });
  trial.world.evidence = evidenceOf('fail');
  await tick(trial);
  t.match(trial.controller.status('fashion'), { phase: 'rolledBack', decidedBy: ['pairedErrors'] });
  await assertReplays(t, trial);
});

t.test('a promotion that nothing confirms ends with maxDuration', async (t) => {
  const trial = await aTrial(t, status(503), { ...CONFIRM, spec: { maxDurationMs: 3_600_000 } });
  trial.world.evidence = evidenceOf('pass');
  await untilAnswered(trial);
  trial.world.clock.advance(3_600_000);
  await tick(trial);
  t.match(trial.controller.status('fashion'), {
    phase: 'paused',
    why: /maxDuration.*waits for gate to confirm \(answered 503\)/,
  });
  await assertReplays(t, trial);
});

t.test('a confirmation counts only while what it confirms stays proven', async (t) => {
  const held: (() => void)[] = [];
  const answer: Answering = (response, at) => {
    if (at === 0) held.push(() => response.writeHead(200).end());
    else response.writeHead(403).end();
  };
  const trial = await aTrial(t, answer, { ...CONFIRM, timeoutMs: 60_000 });
  trial.world.evidence = evidenceOf('pass');
  await until('it was asked', async () => {
    await tick(trial);
    return held.length > 0;
  });
  trial.world.evidence = evidenceOf('inconclusive');
  await tick(trial);
  held[0]?.();
  await until('the late answer is there', () => trial.results.length === 1);
  trial.world.evidence = evidenceOf('pass');
  await untilAnswered(trial, 2);
  t.match(trial.controller.status('fashion'), { phase: 'progressing', why: /answered 403/ });
});

t.test('a promotion by hand needs no confirmation', async (t) => {
  const trial = await aTrial(t, status(403), CONFIRM);
  await trial.controller.submit({ kind: 'promote', model: 'fashion', reason: 'by hand' });
  t.equal(trial.controller.status('fashion')?.phase, 'promoted');
});

t.test('a rollback that a webhook wants takes place with its reason, on record', async (t) => {
  let isBad = false;
  const answer: Answering = (response) =>
    isBad
      ? response.writeHead(200).end('revenue fell \u001b[31mby half\u202e')
      : response.writeHead(404).end();
  const trial = await aTrial(t, answer, ROLL_BACK);
  await untilAnswered(trial);
  t.equal(trial.controller.status('fashion')?.phase, 'progressing');
  isBad = true;
  await untilPhase(trial, 'rolledBack');
  t.match(trial.controller.status('fashion'), {
    why: 'webhook gate: revenue fell [31mby half',
    decidedBy: ['webhook'],
  });
  t.equal(trial.world.shares(), 'stable=1:10000');
  const page = trial.controller.history('fashion', { limit: 1, before: undefined });
  t.match(page?.rollouts, [{ endedBy: 'webhook' }]);
  await assertReplays(t, trial);
});

t.test('a rollback is asked for while the rollout is paused, and at a bounded rate', async (t) => {
  const trial = await aTrial(t, status(404), { ...ROLL_BACK, everyMs: 10_000 });
  trial.world.evidence = evidenceOf('error');
  await untilAnswered(trial);
  t.equal(trial.controller.status('fashion')?.phase, 'paused');
  const before = trial.received.length;
  for (let at = 0; at < 30; at += 1) {
    await tick(trial);
    await until('it is answered', () => trial.results.length === trial.received.length);
  }
  t.ok(
    trial.received.length - before <= 4,
    `asked ${trial.received.length - before} times in 30 s`,
  );
});

t.test(
  'an answer that names no reason, and a receiver that fails, roll nothing back twice',
  async (t) => {
    const answer: Answering = (response, at) =>
      at === 0 ? response.destroy() : response.writeHead(204).end();
    const trial = await aTrial(t, answer, ROLL_BACK);
    await untilPhase(trial, 'rolledBack');
    t.equal(trial.results[0], 'failed');
    t.match(trial.controller.status('fashion'), {
      why: 'webhook gate: answered 204 and gave no reason',
    });
    const count = trial.received.length;
    for (let at = 0; at < 3; at += 1) await tick(trial);
    t.equal(trial.received.length, count, 'what has ended is asked about no more');
  },
);

t.test('only the models that are named are asked about', async (t) => {
  const trial = await aTrial(t, status(200), { ...CONFIRM, models: ['other'] });
  trial.world.evidence = evidenceOf('pass');
  for (let at = 0; at < 3; at += 1) await tick(trial);
  t.equal(trial.controller.status('fashion')?.phase, 'promoted');
  t.same(trial.received, []);
  t.notOk(
    decisionsOf(trial).some((body) => 'hooks' in body),
    'records are as without webhooks',
  );
});
