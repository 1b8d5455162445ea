import type { Log } from '../core/log.ts';

/** Writes one line an entry to standard error: for people, or as JSON for machines. */
export function createLog(options: { readonly json: boolean; readonly nowMs: () => number }): Log {
  return (entry) => {
    const at = new Date(options.nowMs()).toISOString();
    if (options.json) {
      process.stderr.write(`${JSON.stringify({ at, ...entry })}\n`);
      return;
    }
    const facts = Object.entries(entry.facts ?? {}).map(([name, value]) => `${name}=${value}`);
    process.stderr.write(`${[at, entry.level.padEnd(5), entry.message, ...facts].join(' ')}\n`);
  };
}
