import t from 'tap';
import type { ModelReconfiguration, Reconfiguration } from '../../../src/core/reconfiguration.ts';
import { World } from '../builders.ts';

const TO_SECOND = {
  kind: 'set',
  setting: {
    model: 'fashion',
    stable: '2',
    shares: [{ arm: 'stable', version: '2', weightBp: 10_000 }],
    mirror: undefined,
  },
} as const;

function aReload(world: World, parts: Partial<ModelReconfiguration> = {}): Reconfiguration {
  const model: ModelReconfiguration = {
    model: 'fashion',
    rules: [],
    aliases: {},
    asked: TO_SECOND,
    trialKeys: ['route'],
    changed: new Set(),
    versions: new Set(world.digests.keys()),
    needsHosts: false,
    prepare: async () => void world.log.push('prepare'),
    isPrepared: () => true,
    end: async () => void world.log.push('end'),
    ...parts,
  };
  return {
    command: { actor: 'admin', reason: 'a test', changes: [], changesOmitted: 0 },
    models: [model],
    isDryRun: false,
    commit: () => void world.log.push('commit'),
  };
}

t.test(
  'a process that dies between the record and the route carries it out at the next start',
  async (t) => {
    const world = new World();
    const first = world.boot();
    await world.resume(first.controller);
    t.equal(await first.controller.reconfigure(aReload(world)), undefined);
    const kinds = first.ledger.records().map(({ body }) => body.kind);
    t.same(kinds, ['command', 'route']);
    const next = new World();
    const again = next.boot(first.ledger.records().slice(0, 1));
    await next.resume(again.controller);
    t.equal(next.shares(), 'stable=2:10000');
    t.match(again.ledger.records().at(-1)?.body, { kind: 'route', route: { stable: '2' } });
  },
);

t.test(
  'what is made ready comes before the record, and the record before the change',
  async (t) => {
    const world = new World();
    const { controller } = world.boot();
    await world.resume(controller);
    world.log.length = 0;
    const prepare = async (): Promise<void> => {
      world.log.push('prepare');
      world.diskFault = 'no space left';
    };
    t.match(await controller.reconfigure(aReload(world, { prepare })), {
      code: 'ledger_degraded',
      why: 'the ledger took no record: no space left',
    });
    t.same(world.log, ['prepare', 'end'], 'a ledger that takes nothing changes nothing');
    world.diskFault = undefined;
    t.equal(await controller.reconfigure(aReload(world)), undefined);
    t.same(world.log.slice(2), ['prepare', 'commit', 'write stable=2:10000', 'end']);
  },
);
