import type { Log, LogEntry } from '../core/log.ts';
import type { DropNotice, LogSink } from './log-sink.ts';
import { printable, printableJson } from './printable.ts';

/** How entries of the log are written: as text or as JSON. */
export type LogFormat = { readonly json: boolean; readonly nowMs: () => number };

/** Writes one line an entry. */
export function createLog(sink: LogSink, format: LogFormat): Log {
  return (entry) => sink.write(lineOf(entry, format));
}

/** The line that stands in place of lines that could not be written. */
export function dropNotice(format: LogFormat): DropNotice {
  return (lines) =>
    lineOf(
      {
        level: 'warn',
        message: 'log lines dropped (standard error did not take them)',
        facts: { lines },
      },
      format,
    );
}

function lineOf(entry: LogEntry, { json, nowMs }: LogFormat): string {
  const at = new Date(nowMs()).toISOString();
  if (json) return `${printableJson(JSON.stringify({ at, ...entry }))}\n`;
  const facts = Object.entries(entry.facts ?? {}).map(([name, value]) => `${name}=${value}`);
  return `${printable([at, entry.level.padEnd(5), entry.message, ...facts].join(' '))}\n`;
}
