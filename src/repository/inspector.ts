/**
 * Reads packages on a thread of its own, at a lower priority: gigabytes are hashed, and their memory is collected, without
 * blocking the thread that serves requests.
 */
import { Piscina } from 'piscina';
import type { DirectoryDigest } from './digest.ts';
import type { Inspection, InspectionOrder } from './inspection.ts';

export type Inspector = {
  /** Rejects with an Error that names what was expected and what was found. */
  readonly inspect: (order: InspectionOrder) => Promise<Inspection>;
  /** As `digestOf`. */
  readonly digest: (directory: string) => Promise<DirectoryDigest>;
};

/**
 * Lends an inspector, whose thread begins with its first package and ends with the work. One package is read at a time: each may
 * take its model's size in memory.
 */
export async function withInspector<T>(work: (inspector: Inspector) => Promise<T>): Promise<T> {
  let begun: Piscina | undefined;
  const pool = (): Piscina => {
    begun ??= createPool();
    return begun;
  };
  try {
    return await work({
      inspect: (order) => pool().run(order),
      digest: (directory) => pool().run(directory, { name: 'digest' satisfies keyof Inspector }),
    });
  } finally {
    await begun?.destroy();
  }
}

function createPool(): Piscina {
  const pool = new Piscina({
    filename: new URL('./inspection.js', import.meta.url).href,
    name: 'inspect' satisfies keyof Inspector,
    minThreads: 1,
    maxThreads: 1,
    atomics: 'disabled',
    recordTiming: false,
    env: {},
    execArgv: [],
  });
  // A thread that exits fails its package, and the caller gets that error.
  pool.on('error', () => undefined);
  return pool;
}
