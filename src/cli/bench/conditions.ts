import { availableParallelism, cpus, totalmem } from 'node:os';
import { programVersion } from '../../config/program.ts';
import { systemClock } from '../../core/clock.ts';
import type { BenchConditions } from '../../load/nouns/result.ts';

/** What a record says of when, where and how it was made, by the command of this process. */
export function conditionsOf(seed: number): Omit<BenchConditions, 'targets' | 'inputs'> {
  return {
    seed,
    command: commandWith(seed),
    understudy: programVersion,
    takenAt: new Date(systemClock.wallMs()).toISOString(),
    machine: {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
  };
}

/** The command as it was given, with the seed: given again, it sends the same requests at the same moments. */
function commandWith(seed: number): string {
  const words = process.argv.slice(2);
  const seeded = words.some((word) => word === '--seed' || word.startsWith('--seed='));
  const all = seeded ? words : [...words, '--seed', String(seed)];
  return ['understudy', ...all.map(quoted)].join(' ');
}

/** As a shell takes it. What a header says may be a secret, and is left out. */
function quoted(word: string, index: number, words: readonly string[]): string {
  const isHeader =
    ['-H', '--header'].includes(words[index - 1] ?? '') || /^(-H|--header=)./s.test(word);
  const shown = isHeader ? word.replace(/:.*/s, ': ...') : word;
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}
