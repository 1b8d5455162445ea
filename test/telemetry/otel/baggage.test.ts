import t from 'tap';
import { baggageOf } from '../../../src/telemetry/otel/baggage.ts';

t.test(
  'of the baggage only the named keys are taken, decoded and without properties',
  async (t) => {
    const header = 'tenant=a%20b;hidden=1, password = s3cret ,tier=gold,tenant=second';
    t.same(baggageOf(header, ['tenant', 'tier']), { tenant: 'a b', tier: 'gold' });
    t.same(baggageOf(header, []), {});
    t.same(baggageOf(undefined, ['tenant']), {});
  },
);

t.test('odd baggage is skipped, cut or not read at all', async (t) => {
  t.same(baggageOf('tenant=%zz', ['tenant']), { tenant: '%zz' });
  t.same(baggageOf('tenant', ['tenant', '']), {});
  t.equal(baggageOf(`tenant=${'x'.repeat(1_000)}`, ['tenant'])['tenant']?.length, 256);
  t.same(baggageOf(`tenant=${'x'.repeat(9_000)}`, ['tenant']), {});
});
