import { setTimeout as sleep } from 'node:timers/promises';
import logUpdate from 'log-update';
import { systemClock } from '../core/clock.ts';
import type { RolloutStatus } from '../rollout/status.ts';
import { AdminClient, type GatewayOptions, rolloutPath } from './admin-client.ts';
import { CommandError, EXIT, type ExitCode } from './exit-code.ts';
import { fitted } from './fitted.ts';
import { isForReading, print, readFormat, viewOf } from './output.ts';
import { formatRollout } from './rollout-view.ts';

/** Between two looks of `--watch`. */
const WATCH_MS = 500;

/** How long a watch outlasts a gateway that does not answer: its rollouts resume after a restart. */
const RESTART_MS_MAX = 60_000;

/** What an answer must have to be a status. */
const STATUS_KEYS = ['id', 'phase', 'durationMs', 'metrics'];

export type GetOptions = GatewayOptions & {
  readonly output: string;
  readonly watch?: boolean;
};

/**
 * `understudy rollout get`: one look, or with `--watch` one after another until the rollout ends. The exit code says how it
 * stands: 0 promoted or under way, 1 rolled back or aborted, 3 paused.
 */
export async function get(model: string, options: GetOptions): Promise<void> {
  const format = readFormat(options.output);
  const client = new AdminClient(options);
  const look = async () => (await client.get(rolloutPath(model), STATUS_KEYS)) as RolloutStatus;
  const drawn = (seen: RolloutStatus): string => shown(seen, format === 'wide');
  let status = await look();
  const isLive = options.watch === true && isForReading(format) && process.stdout.isTTY;
  let lostSinceMs: number | undefined;
  while (options.watch === true && status.endedMs === undefined) {
    if (isLive) logUpdate(fitted(viewOf(status, drawn), process.stdout.rows));
    await sleep(WATCH_MS);
    try {
      status = await look();
      lostSinceMs = undefined;
    } catch (error) {
      lostSinceMs ??= systemClock.monotonicMs();
      const lostMs = systemClock.monotonicMs() - lostSinceMs;
      if (!isUnreachable(error) || lostMs > RESTART_MS_MAX) throw error;
    }
  }
  if (isLive) logUpdate.clear();
  await print(status, format, shown);
  process.exitCode = exitCodeOf(status.phase);
}

/** As wide as the terminal; where there is none, as a terminal is. */
function shown(status: RolloutStatus, isWide: boolean): string {
  return formatRollout(status, { columns: process.stdout.columns, isWide });
}

function isUnreachable(error: unknown): boolean {
  return error instanceof CommandError && error.exitCode === EXIT.unreachable;
}

function exitCodeOf(phase: RolloutStatus['phase']): ExitCode {
  switch (phase) {
    case 'loading':
    case 'progressing':
    case 'holdback':
    case 'promoted':
      return EXIT.ok;
    case 'paused':
      return EXIT.inconclusive;
    case 'rolledBack':
    case 'aborted':
      return EXIT.failed;
  }
}
