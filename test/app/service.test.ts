import t from 'tap';
import { createService } from '../../src/app/service.ts';
import { HandClock } from '../../src/core/clock.ts';
import { ModelStatistics } from '../../src/gateway/model-statistics.ts';
import { aControl, aRepository } from '../models/a-control.ts';
import { anIdentityModel } from '../support/a-model-file.ts';

async function aService(t: Parameters<typeof aRepository>[0]) {
  const files = { 'm/1/model.onnx': anIdentityModel('FP32'), 'm/2/model.onnx': 'no model' };
  const root = await aRepository(t, files);
  const models = '{ m: { attributes: { tone: header:x-tone }, queue: { deadlineMs: 7 } } }';
  const world = await aControl(t, root, { models });
  const { config, catalog, gateway, control } = world;
  const clock = new HandClock();
  const statistics = new ModelStatistics({ clock, hasRows: () => true });
  statistics.onReady({ model: 'm', version: '1' });
  const refused: string[] = [];
  const service = createService({
    ...{ config, catalog, gateway, clock, statistics },
    repository: control,
    settings: {
      log: () => ({ logInfo: true, logWarning: true, logError: true }),
      setLog: () => {},
    },
    watch: { tokenFor: ({ id }) => `token of ${id}` },
    telemetry: {
      onRefused: (model, code) => refused.push(`${model} ${code}`),
      onOverQuota: () => {},
    },
    onInternalError: () => {},
  });
  return { ...world, service, refused };
}

t.test('statistics are found by name and by alias, and a wrong name is refused', async (t) => {
  const { service, control } = await aService(t);
  const named = (...name: Parameters<typeof service.statistics>) =>
    service.statistics(...name).map(({ model, version }) => `${model} ${version}`);
  for (const found of [named(), named('m'), named('m', '1'), named('m', 'stable')])
    t.same(found, ['m 1']);
  t.throws(() => named('q'), { code: 'model_not_found' });
  t.throws(() => named('m', '9'), { code: 'version_not_found' });
  await control.unload('m');
  t.throws(() => named('m'), { code: 'model_not_found' });
});

t.test(
  'a model identifies its callers as it is configured, any other as the defaults do',
  async (t) => {
    const { service } = await aService(t);
    t.match(service.routing('m'), { attributes: { tone: 'x-tone' }, deadlineMs: 7 });
    t.match(service.routing('q'), { attributes: {}, deadlineMs: 1_000 });
  },
);

t.test('a name that a caller made up becomes none in the metrics', async (t) => {
  const { service, refused } = await aService(t);
  service.onRefused('m', 'invalid_input');
  service.onRefused('made up', 'too_large');
  t.same(refused, ['m invalid_input', 'undefined too_large']);
});
