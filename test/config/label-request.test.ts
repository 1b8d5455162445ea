import t from 'tap';
import { parseNextLabels } from '../../src/config/label-request.ts';

t.test('what is asked of the label queue has defaults, a unit and limits', async (t) => {
  t.same(parseNextLabels({}), { limit: 20, leaseMs: 600_000 });
  t.same(parseNextLabels({ limit: '3', lease: '0' }), { limit: 3, leaseMs: 0 });
  t.throws(() => parseNextLabels({ limit: '501' }), /limit: expected a whole number from 1 to 500/);
  t.throws(() => parseNextLabels({ lease: '2d' }), /lease: expected a duration such as 10m/);
});
