import { fstatSync } from 'node:fs';
import { within } from '../concurrency/within.ts';
import { isStream } from '../config/access-log-section.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import { LineFile } from '../telemetry/line-file.ts';
import { StreamLines } from '../telemetry/stream-lines.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Release, releasing } from './release.ts';

/** How long lines that wait for their disk may hold up the end. */
const CLOSE_MS_MAX = 1_000;

export type AccessLogParts = {
  readonly config: Pick<Config, 'telemetry'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Pick<Telemetry, 'onAccessLogDropped'>;
  readonly log: Log;
};

export type OpenAccessLog = AccessLog & { readonly reopen: () => void };

/** The log of accesses, where it is switched on. */
export function openAccessLog(parts: AccessLogParts, release: Release): OpenAccessLog | undefined {
  const { config, clock, random, telemetry, log } = parts;
  const section = config.telemetry.accessLog;
  if (section === undefined) return undefined;
  const onDropped = telemetry.onAccessLogDropped;
  const lines = linesTo(section.to, { onDropped, log });
  release.push(releasing('the access log', () => within(lines.close(), CLOSE_MS_MAX)));
  const opened = new AccessLog({ clock, random, sample: section.sample, write: lines.write });
  return Object.assign(opened, { reopen: lines.reopen });
}

/** A reload that also makes the file of the access log again, so that it can be renamed: as nginx does on its own signal. */
export function reopening<Reload extends (...request: never[]) => unknown>(
  reload: Reload,
  accessLog: Pick<OpenAccessLog, 'reopen'> | undefined,
): Reload {
  if (accessLog === undefined) return reload;
  const both = (...request: Parameters<Reload>): unknown => {
    accessLog.reopen();
    return reload(...request);
  };
  return both as Reload;
}

type Lines = Pick<LineFile, 'write' | 'reopen' | 'close'>;

function linesTo(
  to: string,
  { onDropped, log }: { readonly onDropped: (lines: number) => void; readonly log: Log },
): Lines {
  const onState = (problem: unknown): void =>
    log(
      problem === undefined
        ? { level: 'info', message: 'the access log takes lines again' }
        : { level: 'error', message: `the access log ${to}: ${messageOf(problem)}` },
    );
  if (!isStream(to)) return new LineFile({ path: to, onDropped, onState });
  const stream = process[to];
  // Node writes to a file that stands behind a stream without letting anything else run.
  if (fstatSync(stream.fd).isFile())
    return new LineFile({ path: `/dev/fd/${stream.fd}`, onDropped, onState });
  return new StreamLines(stream, onDropped);
}
