import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Route } from '../../src/core/route.ts';
import { allTo } from '../../src/rollout/history/route-for.ts';
import type { Place } from '../e2e/a-gateway.ts';
import { anIdentityModel } from '../support/a-model-file.ts';

export type Teardown = { readonly teardown: (work: () => unknown) => void };

/** What the configuration says of the model `m`. */
export const CONFIGURED: Route = {
  model: 'm',
  revision: 0,
  stable: '1',
  shares: allTo('1'),
  salt: '',
  rules: [],
  aliases: {},
  mirror: undefined,
};

/** A model `m` that answers what it is asked, in two versions, and room for a ledger. */
export async function aPlaceToKill(t: Teardown): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-kills-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const version of ['1', '2']) {
    const file = join(root, 'models', 'm', version, 'model.onnx');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, anIdentityModel('FP32'));
  }
  const config = join(root, 'understudy.yaml');
  await writeFile(
    config,
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
ledger: ./ledger
models: { m: { route: { stable: "1" } } }
`,
  );
  return { root, config, ledger: join(root, 'ledger') };
}
