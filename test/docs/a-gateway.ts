import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type App, startApp } from '../../src/app.ts';
import { ConfigFile } from '../../src/config/config-file.ts';
import { projectRoot } from '../support/project-root.ts';

export type RunningGateway = App & { readonly ledger: string };

/** The gateway that `npm start` gives, but for free ports, a ledger of its own, and what a test says of `server` and other sections. */
export async function aGateway(
  server: Readonly<Record<string, unknown>> = {},
  sections = '',
): Promise<RunningGateway> {
  const folder = await mkdtemp(path.join(tmpdir(), 'understudy-docs-'));
  const written = await readFile(path.join(projectRoot, 'understudy.yaml'), 'utf8');
  const file = path.join(folder, 'understudy.yaml');
  const free = '127.0.0.1:0';
  const section = JSON.stringify({ http: free, grpc: free, admin: free, ...server });
  await writeFile(file, `${written}\nserver: ${section}\n${sections}`);
  const repository = path.join(projectRoot, 'models');
  const configFile = new ConfigFile(file, { override: (config) => ({ ...config, repository }) });
  const source = await configFile.readFirst();
  const config = configFile.configOf(source);
  const app = await startApp({
    config,
    configFile: { file: configFile, source },
    log: () => undefined,
    feedbackSecret: undefined,
  });
  await app.started;
  const close = async (): Promise<void> => {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...app, ledger: config.ledger, close };
}
