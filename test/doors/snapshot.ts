import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HttpCaller } from './http-caller.ts';
import type { LockedPlace } from './place.ts';

/** All that a caller without rights might have changed, as text, by what it is. */
export type Snapshot = Readonly<Record<string, string>>;

/** What is read of a gateway by its administrator. Only what stands still without traffic. */
export async function snapshotOf(
  { ledger, keysFolder, config, keys, tls }: LockedPlace,
  ports: { readonly http: number; readonly admin: number },
): Promise<Snapshot> {
  const headers = [['x-api-key', keys.admin]] as const;
  const data = new HttpCaller(ports.http, 1, tls?.client);
  const admin = new HttpCaller(ports.admin, 1, tls?.client);
  const read = async (caller: HttpCaller, path: string): Promise<string> => {
    const { status, text } = await caller.send({ method: 'GET', path, headers });
    return `${status} ${text}`;
  };
  const metrics = await read(admin, '/metrics');
  const seen = {
    route: await read(admin, '/api/v1/models/fashion/route'),
    rollouts: await read(admin, '/api/v1/rollouts'),
    logging: await read(data, '/v2/logging'),
    ready: await read(data, '/v2/models/fashion/ready'),
    answered: linesOf(metrics, /^understudy_request_duration_seconds_count/),
    ledger: await filesIn(ledger),
    keys: await filesIn(keysFolder),
    config: await readFile(config, 'utf8'),
  };
  data.close();
  admin.close();
  return seen;
}

function linesOf(text: string, pattern: RegExp): string {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .sort()
    .join('\n');
}

/** Names, sizes and digests of all files in a folder, but for the lock. */
async function filesIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'lock');
  const lines = files.map(async ({ name }) => {
    const bytes = await readFile(join(folder, name));
    return `${name} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
  });
  return (await Promise.all(lines)).sort().join('\n');
}
