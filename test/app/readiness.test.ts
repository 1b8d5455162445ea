import t from 'tap';
import { aRequest, NEVER_ABORTED } from '../gateway/builders.ts';
import { aControl } from '../models/a-control.ts';
import { aRepository } from '../repository/a-repository.ts';
import { anIdentityModel } from '../support/a-model-file.ts';

const MODEL = anIdentityModel('FP32');
const CORRUPT = 'no model';

t.test('a model that cannot be read takes no other away, unless strict', async (t) => {
  const root = await aRepository({ 'bad/1/model.onnx': CORRUPT, 'good/1/model.onnx': MODEL });
  const routed = await aControl(t, root);
  t.equal(routed.gateway.serverReadiness().ready, true);
  t.equal(routed.gateway.modelReadiness('good').ready, true);
  const strict = await aControl(t, root, { readiness: 'strict' });
  const { ready, reason = '' } = strict.gateway.serverReadiness();
  t.equal(ready, false);
  t.match(reason, /^'bad' cannot be served: version 1: /);
});

t.test('a model that the runtime refuses takes no other away, unless strict', async (t) => {
  const root = await aRepository({ 'bad/1/model.onnx': MODEL, 'good/1/model.onnx': MODEL });
  const faults = { 'bad 1': 'no such operator' };
  const routed = await aControl(t, root, { faults });
  t.equal(routed.gateway.serverReadiness().ready, true);
  const strict = await aControl(t, root, { faults, readiness: 'strict' });
  t.match(strict.gateway.serverReadiness(), { ready: false, reason: /no such operator/ });
});

t.test('a server none of whose models can be served is not ready', async (t) => {
  const root = await aRepository({ 'bad/1/model.onnx': MODEL });
  const { gateway } = await aControl(t, root, { faults: { 'bad 1': 'no such operator' } });
  t.match(gateway.serverReadiness(), { ready: false, reason: /no such operator/ });
});

t.test('a refused model answers with its reason, and an unknown one is not found', async (t) => {
  const root = await aRepository({ 'bad/1/model.onnx': CORRUPT, 'good/1/model.onnx': MODEL });
  const { gateway } = await aControl(t, root);
  const ask = (model: string) => gateway.infer(aRequest({ model }), NEVER_ABORTED);
  const refusal = { code: 'version_not_ready', message: /^'bad' cannot be served: version 1: / };
  await t.rejects(ask('bad'), refusal);
  t.throws(() => gateway.metadata('bad'), refusal);
  t.match(gateway.modelReadiness('bad'), { ready: false, reason: refusal.message });
  await t.rejects(ask('other'), { code: 'model_not_found' });
});
