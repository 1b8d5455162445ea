import t from 'tap';
import { OTLP_PROTOCOLS, SAMPLERS } from '../../src/core/otlp.ts';
import { idsOf, isRecorded, unrecorded } from '../../src/core/traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

t.test('only the last bit of the flags says whether a span is recorded', async (t) => {
  for (let flags = 0; flags < 256; flags += 1) {
    const text = `00-${TRACE}-${SPAN}-${flags.toString(16).padStart(2, '0')}`;
    t.equal(isRecorded(text), flags % 2 === 1, text);
    t.equal(isRecorded(unrecorded(text)), false);
    t.same(idsOf(unrecorded(text)), { traceId: TRACE, spanId: SPAN });
  }
});

t.test("protocols and samplers have OpenTelemetry's names", async (t) => {
  t.ok(OTLP_PROTOCOLS.every((name) => /^(grpc|http\/protobuf)$/.test(name)));
  t.ok(SAMPLERS.every((name) => /^(parentbased_)?(always_on|always_off|traceidratio)$/.test(name)));
});
