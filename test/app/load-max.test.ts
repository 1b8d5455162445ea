import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { aRepository } from '../models/a-control.ts';
import { anIdentityModel } from '../support/a-model-file.ts';

t.test('a load lasts no longer than its model allows, and takes no other away', async (t) => {
  const model = anIdentityModel('FP32');
  const root = await aRepository(t, {
    'models/slow/1/model.onnx': model,
    'models/other/1/model.onnx': model,
  });
  const file = join(root, 'understudy.yaml');
  const text = `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
models:
  slow: { route: { stable: "1" }, execution: { loadMax: 1ms } }
  other: { route: { stable: "1" }, execution: { isolation: thread } }
`;
  await writeFile(file, text);
  const log = (): void => undefined;
  const app = await startApp({ config: await loadConfig(file), log, feedbackSecret: undefined });
  t.teardown(() => app.close());
  await app.started;
  const readiness = async (name: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${app.httpPort}/v2/models/${name}/ready`);
    return `${answer.status} ${await answer.text()}`;
  };
  t.match(await readiness('slow'), /^503 .*loading took longer than 1 ms \(execution\.loadMax\)/);
  t.match(await readiness('other'), /^200 /);
});
