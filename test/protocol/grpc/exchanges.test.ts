import { once } from 'node:events';
import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import type { Exchange, ExchangeEnd } from '../../../src/core/exchange.ts';
import { until } from '../../support/until.ts';
import { aConversation, anInfer } from './builders.ts';

type Seen = { readonly exchange: Exchange; readonly end: ExchangeEnd; readonly model?: string };

/** What is reported of each call, joined as a log joins it. */
function aReport() {
  const seen: Seen[] = [];
  const models = new WeakMap<object, { model?: string }>();
  return {
    seen,
    exchanges: {
      begin: (exchange: Exchange, wire: object) => {
        const found: { model?: string } = {};
        models.set(wire, found);
        return (end: ExchangeEnd) => void seen.push({ exchange, end, ...found });
      },
      joined: (wire: object, part: object) => {
        const found = models.get(wire);
        if (found !== undefined) models.set(part, found);
      },
      named: (wire: object, { model }: { readonly model: string }) => {
        Object.assign(models.get(wire) ?? {}, { model });
      },
    },
  };
}

t.test('a call is reported once, with its model, version, status and caller', async (t) => {
  const { seen, exchanges } = aReport();
  const { call } = await aConversation(t, { exchanges, clock: systemClock });
  await call('ModelInfer', anInfer(), { metadata: { 'x-request-id': 'req-1' } });
  await call('ModelInfer', anInfer({ model_name: 'none' }));
  await until('both are over', () => seen.length === 2);
  t.match(seen, [
    {
      exchange: {
        plane: 'grpc',
        path: '/inference.GRPCInferenceService/ModelInfer',
        peer: { address: '127.0.0.1', port: Number },
        userAgent: /grpc-node-js/,
        callerId: 'req-1',
      },
      end: { status: 0, version: String },
      model: 'm',
    },
    { end: { status: 5 }, model: 'none' },
  ]);
});

t.test('a malformed message and a caller that gives up are reported', async (t) => {
  const { seen, exchanges } = aReport();
  const { callBytes, stream } = await aConversation(t, { exchanges, clock: systemClock });
  await callBytes('ModelInfer', Buffer.from([0xff]));
  const open = stream();
  open.stream.on('error', () => undefined);
  open.ended.catch(() => undefined);
  open.stream.write(anInfer());
  await once(open.stream, 'data');
  open.stream.cancel();
  await until('both are over', () => seen.length === 2);
  t.same(
    seen.map(({ end: { status } }) => status),
    [3, undefined],
  );
});
