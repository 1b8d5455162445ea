import type { Log } from '../core/log.ts';
import type { MirrorHealth } from '../core/mirror-health.ts';

/** Logs a rollout's mirror that stopped working, and one that works again. */
export function reportMirror(log: Log): (model: string, health: MirrorHealth) => void {
  return (model, { why }) => {
    const facts = { model };
    if (why === undefined) log({ level: 'info', message: 'the mirror works again', facts });
    else log({ level: 'error', message: why, facts });
  };
}
