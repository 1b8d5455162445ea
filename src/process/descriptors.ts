import { readFileSync } from 'node:fs';

import type { Log } from '../core/log.ts';

/** Open files other than connections: models' processes, the ledger, models that are being read. */
const OTHERS = 256;

/** Ports that each have so many connections. */
const PORTS = 2;

const CONNECTIONS_MIN = 8;

/** Files that this process may have open; Infinity where that is not known. */
export function descriptorLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const found = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return found === undefined ? Number.POSITIVE_INFINITY : Number(found);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** `server.connectionsMax`, or what the process may open where that is less: one connection more would end in no answer at all. */
export function connectionsFitting(
  connectionsMax: number,
  log: Log,
  descriptors = descriptorLimit(),
): number {
  const fitting = Math.max(CONNECTIONS_MIN, Math.floor((descriptors - OTHERS) / PORTS));
  if (fitting >= connectionsMax) return connectionsMax;
  log({
    level: 'warn',
    message:
      `server.connectionsMax: expected at most ${fitting} for the ${descriptors} files that this process may open, found ` +
      `${connectionsMax}. ${fitting} are taken; raise the limit (ulimit -n, LimitNOFILE=) for more`,
  });
  return fitting;
}
