import type { ReloadResult } from '../models/config-reload.ts';
import { AdminClient, type GatewayOptions } from './admin-client.ts';
import { print, readFormat } from './output.ts';

type Options = GatewayOptions & {
  readonly output: string;
  readonly dryRun?: boolean;
  readonly reason: string;
};

type Reloaded = Omit<Extract<ReloadResult, { kind: 'done' }>, 'kind'>;

/** Models may have to be reloaded before the answer. */
const RELOAD_MS_MAX = 600_000;

/** `understudy config reload`: the gateway reads its configuration file again. */
export async function reload(options: Options): Promise<void> {
  const { output, dryRun = false, reason } = options;
  const format = readFormat(output);
  const client = new AdminClient(options);
  const answer = await client.post('/api/v1/config/reload', { reason, dryRun }, RELOAD_MS_MAX);
  await print(answer as Reloaded, format, formatReload);
}

/** A line for each key, and a last one that counts them. */
export function formatReload({ changes, notes, dryRun }: Reloaded): string {
  if (changes.length === 0) return 'Nothing to do: the file says what runs.';
  const applied = dryRun ? 'would be applied' : 'applied';
  const waiting = changes.filter(({ effect }) => effect === 'restart').length;
  const lines = changes.map(({ key, from, to, effect }) => {
    return `${key}: ${from} -> ${to} (${effect === 'restart' ? 'needs a restart' : applied})`;
  });
  const count = `${changes.length - waiting} ${applied}, waiting for a restart: ${waiting}.`;
  return [...lines, ...notes, count].join('\n');
}
