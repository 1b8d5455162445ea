import fc from 'fast-check';
import t from 'tap';
import { LiveLossTally, type MatureUnit } from '../../src/compare/live-loss-tally.ts';
import { NO_DIFFERENCES } from '../../src/core/evidence.ts';

const NONE = { differences: NO_DIFFERENCES, places: {} };

function after(units: readonly MatureUnit[]) {
  const tally = new LiveLossTally(NONE);
  for (const unit of units) tally.add(unit);
  return tally.snapshot();
}

const of = (side: MatureUnit['side'], loss: number | undefined, place = '500:500'): MatureUnit => ({
  side,
  place,
  loss: loss === undefined ? undefined : { low: loss, high: loss },
});

t.test('a unit of the candidate is compared with those of the reference before it', async (t) => {
  const { differences, places } = after([
    of('reference', 0),
    of('reference', 1),
    of('reference', undefined),
    of('candidate', 1),
    of('candidate', undefined),
    of('candidate', 1),
    of('reference', 1),
  ]);
  t.same(differences.down, { 0: 1, 500: 1 });
  t.same(places, {
    '500:500': {
      candidate: { units: 3, labelled: 2 },
      reference: { units: 4, labelled: 3 },
      blocks: { '0/1/1': 1, '1/2/3': 1 },
    },
  });
});

t.test('units of different exposures are never compared', async (t) => {
  const { differences } = after([of('reference', 0), of('candidate', 1, '2500:7500')]);
  t.same(differences, NO_DIFFERENCES);
});

t.test('each unit of the candidate counts once at most, and none that has no label', async (t) => {
  const units = fc.array(
    fc.record({
      side: fc.constantFrom('candidate' as const, 'reference' as const),
      place: fc.constantFrom('500:500', '5000:5000'),
      loss: fc.option(
        fc.constantFrom({ low: 0, high: 0 }, { low: 0.25, high: 0.25 }, { low: 0, high: 1 }),
        { nil: undefined },
      ),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(units, (all) => {
      const { differences, places } = after(all);
      const compared = Object.values(differences.down).reduce((sum, count) => sum + count, 0);
      const labelled = Object.values(places).reduce(
        (sum, { candidate }) => sum + candidate.labelled,
        0,
      );
      return (
        compared <= labelled && labelled <= all.filter(({ side }) => side === 'candidate').length
      );
    }),
  );
  t.pass();
});

t.test(
  'labels that contradict each other are no harm to the harm test, and all of it to the other',
  (t) => {
    const contradicted = { low: 0, high: 1 };
    const { differences } = after([
      { ...of('reference', 0) },
      { ...of('candidate', 1), loss: contradicted },
      { ...of('reference', 1), loss: contradicted },
      of('candidate', 1),
    ]);
    t.same(differences, { down: { 0: 2 }, up: { 1000: 2 } });
    t.end();
  },
);
