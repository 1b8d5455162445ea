import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Which cores who runs on. Undefined: nothing is pinned, for the reason given. */
export type Cores = {
  readonly server: number | undefined;
  readonly generator: readonly number[] | undefined;
  readonly words: string;
};

/** The last core for the server under test; all others for the generator and the rest of the machine. */
export function coresFor(available: readonly number[]): Cores {
  const server = available.at(-1);
  const generator = available.slice(0, -1);
  if (server === undefined || generator.length === 0) {
    const words = 'nothing pinned: there is one core only';
    return { server: undefined, generator: undefined, words };
  }
  return {
    server,
    generator,
    words: `server on core ${server}, generator on ${generator.length === 1 ? 'core' : 'cores'} ${generator.join(', ')}`,
  };
}

/** Pins this process, and the processes that it starts from now on, to the generator's cores. */
export async function pinGenerator(): Promise<Cores> {
  try {
    const { stdout } = await run('taskset', ['-cp', String(process.pid)]);
    const cores = coresFor(coresIn(stdout.slice(stdout.lastIndexOf(':') + 1)));
    const { generator } = cores;
    if (generator) await run('taskset', ['-acp', generator.join(','), String(process.pid)]);
    return cores;
  } catch {
    const words = 'nothing pinned: there is no taskset';
    return { server: undefined, generator: undefined, words };
  }
}

/** `0-2,5`: 0, 1, 2 and 5. */
export function coresIn(list: string): readonly number[] {
  return list
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = Number.NaN, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, at) => first + at);
    });
}
