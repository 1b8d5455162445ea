import fc from 'fast-check';
import t from 'tap';
import { NO_EVIDENCE } from '../../../src/core/evidence.ts';
import type { LedgerRecord } from '../../../src/core/record.ts';
import { decide } from '../../../src/decide/decide.ts';
import { verifyChain } from '../../../src/ledger/chain.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import type { Controller } from '../../../src/rollout/controller.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { fuzzRuns } from '../../support/fuzz-runs.ts';
import { aSpec, decideByLabel, evidenceOf, PROMOTE, PROVE, SHADOW, World } from '../builders.ts';

const ABORT = { kind: 'abort', model: 'fashion', reason: 'changed my mind' } as const;

type Happening =
  | {
      readonly kind: 'tick';
      readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'error';
      readonly requests: number;
    }
  | {
      readonly kind:
        | 'start'
        | 'abort'
        | 'resume'
        | 'promote'
        | 'trip'
        | 'diskFull'
        | 'diskFree'
        | 'kill';
    };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tick' as const),
      verdict: fc.constantFrom('pass', 'pass', 'pass', 'inconclusive', 'error', 'fail'),
      requests: fc.integer({ min: 0, max: 400 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'start',
        'start',
        'resume',
        'abort',
        'promote',
        'trip',
        'diskFull',
        'diskFree',
        'kill',
      ),
    }),
  },
);

class Life {
  readonly world = new World();
  booted = this.world.boot();

  async live(happenings: readonly Happening[]): Promise<void> {
    await this.world.resume(this.booted.controller);
    for (const it of happenings) await this.#happen(it);
  }

  async #happen(it: Happening): Promise<void> {
    const { world } = this;
    const { controller, ledger } = this.booted;
    world.clock.advance(1000);
    switch (it.kind) {
      case 'tick':
        world.evidence = evidenceOf(it.verdict, it.requests);
        return controller.tick();
      case 'trip':
        return controller.trip('fashion', { cause: 'crashLoop', detail: 'thrice' });
      case 'diskFull':
        world.diskFault = 'ENOSPC';
        return;
      case 'diskFree':
        world.diskFault = undefined;
        return;
      case 'kill':
        this.booted = world.boot(ledger.records());
        return world.resume(this.booted.controller);
      case 'start':
        await controller.submit({ kind: 'start', spec: this.#spec() }).catch(() => undefined);
        return controller.loaded('fashion');
      default:
        await controller.submit({ ...ABORT, kind: it.kind }).catch(() => undefined);
    }
  }

  #spec() {
    const stable = this.world.table.get('fashion')?.stable ?? '1';
    return aSpec({ stable, candidate: stable === '1' ? '2' : '1' });
  }
}

/** What must hold for any ledger that a controller wrote. */
function brokenRule(records: readonly LedgerRecord[]): string | undefined {
  const phases = new Map<string, string>();
  for (const { body } of records) {
    if (body.kind === 'route') {
      const total = body.route.shares.reduce((sum, share) => sum + share.weightBp, 0);
      if (total !== 10_000) return `shares add up to ${total}`;
    }
    if (body.kind !== 'decision' || body.decision.action.kind === 'wait') continue;
    const { verdict, action } = body.decision;
    if (action.kind === 'promote' && verdict.kind !== 'pass') return `promoted on ${verdict.kind}`;
    const key = `${body.rolloutId} ${JSON.stringify(body.before?.phase)}`;
    if (phases.has(key)) return `decided twice: ${key}`;
    phases.set(key, action.kind);
  }
  return undefined;
}

t.test('always: shares add up, only a pass promotes, nothing is decided twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (happenings) => {
      const life = new Life();
      await life.live(happenings);
      const records = life.booted.ledger.records();
      const { disagreements } = await replay(records, decideByLabel);
      const broken = brokenRule(records);
      if (broken !== undefined) throw new Error(broken);
      if (disagreements.length > 0) throw new Error(JSON.stringify(disagreements[0]));
    }),
    fuzzRuns(150),
  );
});

type Seen = readonly ['pass' | 'fail' | 'inconclusive', number];

const SHADOW_TO_HALF: readonly Seen[] = [
  ['inconclusive', 0],
  ['pass', 0],
  ['pass', 0],
  ['inconclusive', 60],
  ['pass', 150],
];

async function see(world: World, controller: Controller, script: readonly Seen[]): Promise<void> {
  for (const [verdict, requests] of script) {
    world.evidence = evidenceOf(verdict, requests);
    world.clock.advance(1000);
    await controller.tick();
  }
}

// A kill may come after any record. From there on the same evidence must lead to the same end.
for (const ending of ['pass', 'fail'] as const) {
  t.test(`after any prefix of the ledger a trial resumes to the same end: ${ending}`, async (t) => {
    const end: readonly Seen[] = [
      [ending, 300],
      [ending, 300],
      [ending, 300],
    ];
    const whole = new World();
    const { controller, ledger } = whole.boot();
    await whole.resume(controller);
    await controller.submit({ kind: 'start', spec: aSpec() });
    await controller.loaded('fashion');
    await see(whole, controller, [...SHADOW_TO_HALF, ...end]);
    t.equal(controller.status('fashion')?.phase, ending === 'pass' ? 'promoted' : 'rolledBack');
    const records = ledger.records();
    const started = records.findIndex(({ body }) => body.kind === 'rolloutStarted');
    for (let kept = started + 1; kept <= records.length; kept += 1) {
      const world = new World();
      const reborn = world.boot(records.slice(0, kept));
      await world.resume(reborn.controller);
      await see(world, reborn.controller, [...SHADOW_TO_HALF, ...end, ...end]);
      t.equal(reborn.controller.status('fashion')?.phase, controller.status('fashion')?.phase);
      t.equal(world.shares(), whole.shares(), `after ${kept} records`);
      t.equal(brokenRule(reborn.ledger.records()), undefined);
      t.same((await replay(reborn.ledger.records(), decideByLabel)).disagreements, []);
    }
  });
}

t.test('the real decision is the same when its record is read back', async (t) => {
  const world = new World();
  const { controller, ledger } = world.boot([], decide);
  await world.resume(controller);
  await controller.submit({ kind: 'start', spec: aSpec() });
  await controller.loaded('fashion');
  for (let pairs = 0; pairs <= 600; pairs += 100) {
    const counts = { '0:0/1': pairs, ...(pairs > 300 && { '1:0/1': 2, '0:1/1': 1 }) };
    const mirror = { ...NO_EVIDENCE.mirror, eligible: pairs + 3, compared: pairs + 3 };
    world.evidence = { ...NO_EVIDENCE, mirror, pairedFailures: counts };
    world.clock.advance(5_000);
    await controller.tick();
  }
  const records = ledger.records();
  const lines = records.map((record) => JSON.parse(JSON.stringify(record)) as LedgerRecord);
  const report = await replay(lines, decide);
  t.ok(report.decisions >= 5, `${report.decisions} decisions`);
  t.same(report.disagreements, []);
  t.same((await verifyChain(lines)).broken, undefined);
});

t.test('replay finds a decision that does not follow from its evidence', async (t) => {
  const world = new World();
  const { controller, ledger } = world.boot();
  await world.resume(controller);
  await controller.submit({ kind: 'start', spec: aSpec({ steps: [SHADOW, PROVE, PROMOTE] }) });
  await controller.loaded('fashion');
  await see(world, controller, [
    ['pass', 0],
    ['pass', 0],
  ]);
  const forged = new MemoryLedger(world.clock);
  for (const { body } of ledger.records()) {
    const isPass = body.kind === 'decision' && body.decision.verdict.kind === 'pass';
    const told = isPass ? { ...body, evidence: evidenceOf('inconclusive') } : body;
    await forged.append(told, forged.head());
  }
  const { disagreements } = await replay(forged.records(), decideByLabel);
  t.match(disagreements[0], {
    rolloutId: 'fashion-2-1',
    what: 'decision',
    recomputed: /inconclusive/,
  });
});
