import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of a tap test: what is put here is done when the test has ended, however it ended. */
type Teardown = { readonly teardown: (work: () => unknown) => void };

/** A small file system of its own. */
export type Disk = {
  readonly path: string;
  readonly remount: (how: 'ro' | 'rw') => void;
  /** Takes all the room that is left, to the last byte; gives it back when called. */
  readonly fill: () => Promise<() => Promise<void>>;
};

/** Mounts a file system in memory with room for so many KiB. */
export function aDisk(t: Teardown, sizeKiB: number): Disk {
  const path = mkdtempSync(join(tmpdir(), 'understudy-disk-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  mount('-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'tmpfs', path);
  t.teardown(() => execFileSync('umount', ['--lazy', path]));
  return { path, remount: (how) => mount('-o', `remount,${how}`, path), fill: () => fill(path) };
}

/** Why tests that need a file system of their own are left out; false: they are not. */
export const noDisk: string | false = canMount()
  ? false
  : 'this process may not mount file systems';

function canMount(): boolean {
  const undo: (() => unknown)[] = [];
  try {
    aDisk({ teardown: (work) => undo.unshift(work) }, 64);
    return true;
  } catch {
    return false;
  } finally {
    for (const work of undo) work();
  }
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: 'ignore' });
}

async function fill(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'filler');
  const handle = await open(path, 'a');
  for (const size of [65_536, 4_096, 1]) {
    const bytes = Buffer.alloc(size, 1);
    const fits = () =>
      handle.appendFile(bytes).then(
        () => true,
        () => false,
      );
    while (await fits());
  }
  await handle.close();
  return () => rm(path);
}
