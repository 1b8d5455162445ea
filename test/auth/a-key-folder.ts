import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyStore, type KeyStoreOptions } from '../../src/auth/key-store.ts';
import { type CreatedKey, createKey, type KeyWanted } from '../../src/auth/manage-keys.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { LogEntry } from '../../src/core/log.ts';

type Teardown = { readonly teardown: (work: () => unknown) => void };

/** A folder for keys that is gone after the test. */
export async function aKeyFolder(t: Teardown): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'understudy-keys-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  return join(root, 'keys');
}

/** A key in a folder, by default for inference with all models. */
export function aKey(folder: string, wanted: Partial<KeyWanted> = {}): Promise<CreatedKey> {
  return createKey(
    { folder, pepper: undefined },
    {
      name: 'batch',
      grants: [{ role: 'infer', models: '*' }],
      nowMs: systemClock.wallMs(),
      expiresMs: undefined,
      ...wanted,
    },
  );
}

/** The store of a folder, opened, and what it logs. */
export async function aKeyStore(
  t: Teardown,
  folder: string,
  options: Partial<KeyStoreOptions> = {},
): Promise<{ readonly store: KeyStore; readonly logged: LogEntry[] }> {
  const logged: LogEntry[] = [];
  const store = new KeyStore({
    ...{ folder, pepper: undefined, clock: systemClock, lookMs: 20 },
    log: (entry) => logged.push(entry),
    ...options,
  });
  t.teardown(() => store.close());
  await store.open();
  return { store, logged };
}
