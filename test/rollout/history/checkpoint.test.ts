import t from 'tap';
import type { LedgerRecord } from '../../../src/core/record.ts';
import { decide } from '../../../src/decide/decide.ts';
import { canonicalJson } from '../../../src/ledger/canonical-json.ts';
import { verifyChain } from '../../../src/ledger/chain.ts';
import { MemoryLedger } from '../../../src/ledger/memory.ts';
import {
  checkpointOf,
  type History,
  NO_HISTORY,
  withRecord,
} from '../../../src/rollout/history/history.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { aSpec, World } from '../builders.ts';
import { goldenStory } from '../golden-story.ts';

function foldOf(records: readonly LedgerRecord[]): History {
  return records.reduce(withRecord, NO_HISTORY);
}

const isCheckpoint = ({ body }: LedgerRecord): boolean => body.kind === 'checkpoint';

t.test('from any checkpoint on, records come to what all of them come to', async (t) => {
  const records = await goldenStory(5);
  const whole = canonicalJson(checkpointOf(foldOf(records)));
  const starts = records.flatMap((record, at) => (isCheckpoint(record) ? [at] : []));
  t.ok(starts.length > 10, `${starts.length} checkpoints`);
  for (const at of starts) {
    const rest = records.slice(at);
    if (canonicalJson(checkpointOf(foldOf(rest))) !== whole) t.fail(`from record ${at}`);
    const { disagreements } = await replay(rest, decide);
    if (disagreements.length > 0) t.same(disagreements, [], `from record ${at}`);
  }
  t.match(await replay(records, decide), { decisions: 19, disagreements: [] });
});

t.test(
  'a gateway that reads from the last checkpoint on knows what the one before knew',
  async (t) => {
    const records = await goldenStory(5);
    const world = new World();
    const { controller } = world.boot(records, decide);
    await world.resume(controller);
    t.same(world.errors, []);
    const [shown, expected] = [controller.list(), foldOf(records).get('fashion')?.trials];
    t.same(
      shown.map(({ id, phase, verdict }) => [id, phase, verdict]),
      expected?.map(({ rollout, decision }) => [
        rollout.id,
        rollout.phase.kind,
        decision?.verdict.kind,
      ]),
    );
  },
);

t.test('a checkpoint that is not what the records before it come to is found', async (t) => {
  const records = await goldenStory(20);
  const forged = new MemoryLedger(new World().clock);
  for (const { body } of records) {
    const told = body.kind === 'checkpoint' ? { ...body, models: {} } : body;
    await forged.append(told, forged.head());
  }
  t.equal((await verifyChain(forged.records())).broken, undefined);
  const { disagreements } = await replay(forged.records(), decide);
  t.match(disagreements[0], { what: 'checkpoint', recorded: /"models":\{\}/ });
});

t.test('a checkpoint counts as the first record only where it is that', async (t) => {
  const checkpoint = (await goldenStory(20)).findLast(isCheckpoint);
  const forged = new MemoryLedger(new World().clock);
  await forged.append({ kind: 'access', what: 'signedIn', caller: 'key:ops' }, forged.head());
  if (checkpoint === undefined) throw new Error('expected a checkpoint, found none');
  await forged.append(checkpoint.body, forged.head());
  const { disagreements } = await replay(forged.records(), decide);
  t.match(disagreements, [{ index: 1, what: 'checkpoint' }]);
});

t.test('a chain that begins with a checkpoint says how many records are archived', async (t) => {
  const records = await goldenStory(20);
  const at = records.findIndex(isCheckpoint);
  const rest = await verifyChain(records.slice(at));
  t.match(rest, { archived: at, records: records.length - at, broken: undefined });
  t.match(await verifyChain(records.slice(at + 1)), {
    records: 0,
    broken: { problem: /expected record 0, found record/ },
  });
});

t.test('what ends a rollout is recorded before the checkpoint that is due', async (t) => {
  const world = new World();
  world.checkpointEvery = 1;
  const { controller, ledger } = world.boot();
  await world.resume(controller);
  await controller.submit({ kind: 'start', spec: aSpec() });
  await controller.loaded('fashion');
  const before = ledger.records().length;
  await controller.trip('fashion', { cause: 'crashLoop', detail: '3 crashes' });
  t.equal(ledger.records()[before]?.body.kind, 'breaker');
  t.equal(ledger.records()[before + 1]?.body.kind, 'checkpoint');
});
