import t from 'tap';
import type { LedgerRecord } from '../../../src/core/record.ts';
import { decide } from '../../../src/decide/decide.ts';
import { canonicalJson } from '../../../src/ledger/canonical-json.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { looksOnRecord } from '../../support/looks-on-record.ts';
import { recordsOfLongRollout } from '../a-long-rollout.ts';
import { World } from '../builders.ts';

/** One request a second fills each block of time that there is. */
const THREE_HOURS = { hours: 3, perSecond: 1, users: 20_000 };
const long = recordsOfLongRollout(THREE_HOURS);

function bytesOf(records: readonly LedgerRecord[]): number {
  return records.reduce((sum, record) => sum + canonicalJson(record).length + 1, 0);
}

t.test('three hours of a rollout take less than 2 MB', async (t) => {
  const { records, world } = await long;
  t.same(world.errors, []);
  t.ok(bytesOf(records) < 2_000_000, `${bytesOf(records)} bytes in ${records.length} records`);
  const whole = looksOnRecord(records).reduce((sum, look) => sum + canonicalJson(look).length, 0);
  t.ok(whole > 3 * bytesOf(records), `${whole} bytes if each look stood whole`);
});

t.test('the first four minutes of a rollout take less than 300 KB', async (t) => {
  const { records } = await long;
  const first = records[0]?.atMs ?? 0;
  const early = records.filter(({ atMs }) => atMs - first < 240_000);
  t.ok(bytesOf(early) < 300_000, `${bytesOf(early)} bytes in ${early.length} records`);
});

t.test('all its looks replay to the last digit', async (t) => {
  const { records } = await long;
  const { decisions, disagreements } = await replay(records, decide);
  t.ok(decisions > 100, `${decisions} decisions`);
  t.same(disagreements, []);
});

t.test('a restart resumes with the evidence of the last look, whole', async (t) => {
  const { records, world: before } = await long;
  const world = new World();
  world.clock.advance(before.clock.wallMs() - world.clock.wallMs());
  for (const route of before.table.values()) world.table.set(route.model, route);
  await world.resume(world.boot(records, decide).controller);
  const recorded = looksOnRecord(records).at(-1)?.evidence;
  t.ok(canonicalJson(world.evidence) === canonicalJson(recorded));
  t.ok(Object.keys(recorded?.slowBlocks ?? {}).length > 500);
});

t.test('a look that continues from one which is not there is refused', async (t) => {
  const { records } = await long;
  const later = records.findIndex(({ body }) => body.kind === 'decision' && body.changed);
  await t.rejects(
    replay(records.slice(later), decide),
    /expected the look that a record continues from, found none before it/,
  );
});
