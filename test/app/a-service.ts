import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { grpcClient } from '../interop/grpc-client.ts';
import { aRepository } from '../models/a-control.ts';

type Teardown = { readonly teardown: (work: () => unknown) => void };

export type Answered = { readonly status: number; readonly body: Record<string, unknown> };

/** A whole gateway over a repository of these files, with a client for each wire. It runs models in its own threads. */
export async function aService(
  t: Teardown,
  files: Readonly<Record<string, Uint8Array | string>>,
  models: readonly string[],
) {
  const root = await aRepository(
    t,
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`models/${path}`, content])),
  );
  const sections = models.map(
    (name) => `  ${name}: { instances: { replicas: 1 }, execution: { isolation: thread } }\n`,
  );
  await writeFile(
    join(root, 'understudy.yaml'),
    `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
models:
${sections.join('')}`,
  );
  const lines: string[] = [];
  const app = await startApp({
    config: await loadConfig(join(root, 'understudy.yaml')),
    log: ({ message }) => void lines.push(message),
    feedbackSecret: undefined,
  });
  t.teardown(() => app.close());
  await app.started;
  const grpc = grpcClient(`127.0.0.1:${app.grpcPort}`);
  t.teardown(() => grpc.close());
  const ask = async (path: string, body?: object): Promise<Answered> => {
    const answer = await fetch(`http://127.0.0.1:${app.httpPort}/v2/${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Answered['body'] };
  };
  return { ask, grpc, lines };
}
