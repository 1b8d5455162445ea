import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { LogEntry } from '../../src/core/log.ts';
import { aRepository } from '../models/a-control.ts';
import { anIdentityModel } from '../support/a-model-file.ts';

// No graphics card where the tests run. Without a word a model would be served some hundred times slower than its operator thinks.
t.test('a model that does not run on the device it asks for says so everywhere', async (t) => {
  const root = await aRepository(t, { 'models/m/1/model.onnx': anIdentityModel('FP32') });
  const file = join(root, 'understudy.yaml');
  const text = `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
models:
  m: { route: { stable: "1" }, execution: { providers: [cuda], strict: false, isolation: thread } }
`;
  await writeFile(file, text);
  const entries: LogEntry[] = [];
  const app = await startApp({
    config: await loadConfig(file),
    log: (entry) => entries.push(entry),
    feedbackSecret: undefined,
  });
  t.teardown(() => app.close());
  await app.started;
  const why = /^cpu, because cuda cannot be had \(cuda: .+\)$/;

  const metadata = await fetch(`http://127.0.0.1:${app.httpPort}/v2/models/m`);
  t.match(await metadata.json(), { properties: { provider: why } });

  const admin = `http://127.0.0.1:${app.adminPort}`;
  const listed = await (await fetch(`${admin}/api/v1/models`)).json();
  t.match(listed, { models: [{ versions: [{ provider: why }] }] });

  const metrics = await (await fetch(`${admin}/metrics`)).text();
  const of = 'model="m",version="1",role="main"';
  t.match(metrics, `understudy_host_provider{${of},provider="cpu"} 1`);
  t.match(metrics, `understudy_host_provider{${of},provider="cuda"} 0`);
  t.match(metrics, `understudy_host_provider_fallback{${of}} 1`);

  const warning = entries.find(({ message }) => message.startsWith('runs on cpu, because cuda'));
  t.match(warning, { level: 'warn', facts: { model: 'm', version: '1' } });
});
