import fc from 'fast-check';
import t from 'tap';
import { UnitFilter } from '../../../src/compare/unit-filter.ts';
import { type Evidence, NO_EVIDENCE, type UnitBits } from '../../../src/core/evidence.ts';
import { saltedHash } from '../../../src/core/hash.ts';
import { NO_LABELS } from '../../../src/core/label-evidence.ts';
import { decide } from '../../../src/decide/decide.ts';
import { canonicalJson } from '../../../src/ledger/canonical-json.ts';
import { newUnitsOf, withNewUnits, withoutUnits } from '../../../src/rollout/history/new-units.ts';
import { replay } from '../../../src/rollout/history/replay.ts';
import { aSpec, goodEvidence } from '../../decide/builders.ts';
import { aStatus, aVerdict, PROMOTE, SHADOW, World } from '../builders.ts';

function filterOf(units: number, salt = 'a'): UnitBits {
  const filter = new UnitFilter({});
  for (let unit = 0; unit < units; unit += 1) filter.add(saltedHash(salt, String(unit)));
  return filter.snapshot();
}

/** Evidence in which so many units have counted, in each of its places. */
function seen(units: number, fields: Partial<Evidence> = {}): Evidence {
  const bits = filterOf(units);
  const hashes = Array.from({ length: units }, (_, unit) => saltedHash('b', String(unit)));
  return goodEvidence({
    liveUnits: bits,
    pairUnits: filterOf(units, 'pairs'),
    labelling: { ...goodEvidence().labelling, ...NO_LABELS, units: bits },
    liveLoss: {
      differences: NO_EVIDENCE.labelledLoss,
      places: {},
      countedUntilMs: units,
      units: filterOf(units >> 1, 'answers'),
    },
    erredUnits: hashes.slice(0, units >> 3).sort(),
    slowUnits: hashes.filter((_, unit) => unit % 16 === 0).sort(),
    ...fields,
  });
}

t.test('what each record adds gives the same evidence again, for any added counts', async () => {
  const counts = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(counts, (added) => {
      let [total, recorded]: [number, Evidence] = [0, NO_EVIDENCE];
      for (const count of added) {
        total += count;
        const now = seen(total);
        const text = canonicalJson({
          evidence: withoutUnits(now),
          added: newUnitsOf(now, recorded),
        });
        const record = JSON.parse(text);
        recorded = withNewUnits(record.evidence, record.added, recorded);
        if (canonicalJson(recorded) !== canonicalJson(now)) return false;
      }
      return true;
    }),
    { numRuns: 30 },
  );
});

t.test('a record takes bytes for new units only', (t) => {
  const before = seen(20_000);
  const same = newUnitsOf(before, before);
  t.same(same, { filters: {}, erred: [], slow: [] });
  const filter = new UnitFilter(before.liveUnits ?? {});
  for (let unit = 0; unit < 100; unit += 1) filter.add(saltedHash('new', String(unit)));
  const added = newUnitsOf({ ...before, liveUnits: filter.snapshot() }, before);
  const bytes = canonicalJson(added).length;
  t.ok(bytes < 100 * 25, `${bytes} bytes for 100 units`);
  const whole = canonicalJson(newUnitsOf(before, NO_EVIDENCE).filters.live).length;
  t.ok(whole <= canonicalJson(before.liveUnits).length + 10, `${whole} bytes for all of them`);
  t.end();
});

t.test('no rule reads which units have counted', (t) => {
  const require = ['disagreement', 'pairedErrors', 'labelledLoss', 'errors'] as const;
  const evidence = seen(500);
  const spec = aSpec();
  t.same(
    decide({ evidence: withoutUnits(evidence), spec, require }),
    decide({ evidence, spec, require }),
  );
  t.end();
});

t.test('bits in no form that is known are refused', (t) => {
  const added = { filters: { live: { 0: '?AAAA' } }, erred: [], slow: [] };
  t.throws(() => withNewUnits(NO_EVIDENCE, added, NO_EVIDENCE), /expected \+ or = .* found "\?"/);
  const large = Buffer.from([0xff, 0xff, 0xff, 0x7f]).toString('base64');
  const huge = { ...added, filters: { live: { 0: `+${large}` } } };
  t.throws(() => withNewUnits(NO_EVIDENCE, huge, NO_EVIDENCE), /at most 1048576 bytes/);
  t.end();
});

t.test('a restart resumes with all units, from records that have each once', async (t) => {
  const world = new World();
  const first = world.boot([], decide);
  await world.resume(first.controller);
  await first.controller.submit({ kind: 'start', spec: aSpec() });
  await first.controller.loaded('fashion');
  for (const units of [3_000, 3_050, 3_100]) {
    world.evidence = seen(units);
    world.clock.advance(60_000);
    await first.controller.tick();
  }
  const records = first.ledger.records();
  const sizes = records.flatMap(({ body }) =>
    body.kind === 'decision' ? canonicalJson(body).length : [],
  );
  t.ok(sizes.length >= 2 && Number(sizes.at(-1)) < 20_000, `${sizes} bytes`);
  const expected = canonicalJson(world.evidence);
  world.evidence = NO_EVIDENCE;
  await world.resume(world.boot(records, decide).controller);
  t.ok(canonicalJson(world.evidence) === expected, 'it is opened with what was recorded');
  t.same(world.errors, []);
});

t.test('a look that words how many users have counted replays', async (t) => {
  const metrics = [aStatus({ metric: 'errors', samples: 1_186, samplesToGo: 2_769 })];
  const undecided = () => aVerdict('inconclusive', { metrics });
  const world = new World();
  const { controller, ledger } = world.boot([], undecided);
  await world.resume(controller);
  const live = { kind: 'analysis', require: ['errors'], reject: [] } as const;
  await controller.submit({ kind: 'start', spec: aSpec({ steps: [SHADOW, live, PROMOTE] }) });
  await controller.loaded('fashion');
  for (const units of [100, 200, 2_000]) {
    world.evidence = seen(units);
    world.clock.advance(60_000);
    await controller.tick();
  }
  t.match(controller.status('fashion')?.why, /2,769 more distinct users \(1,186 have counted/);
  t.same((await replay(ledger.records(), undecided)).disagreements, []);
});
