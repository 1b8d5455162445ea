import t from 'tap';
import { isModelReady } from '../../src/gateway/is-model-ready.ts';
import { aGateway } from './builders.ts';

t.test('a model that is unknown is not ready, and that is no error', async (t) => {
  t.equal(isModelReady(aGateway(), 'm'), true);
  t.equal(isModelReady(aGateway(), 'absent'), false);
});
