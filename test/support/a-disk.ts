import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
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

/** A disk that can be made to answer no write until it is thawed. */
export type FreezableDisk = Disk & { readonly freeze: () => () => void };

/** Mounts a file system in memory with room for so many KiB. */
export function aDisk(t: Teardown, sizeKiB: number): Disk {
  const path = aMountPoint(t);
  run('mount', '-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'tmpfs', path);
  t.teardown(() => run('umount', '--lazy', path));
  return diskAt(path);
}

/** Mounts a file with an ext4 of so many KiB in it. */
export function aFreezableDisk(t: Teardown, sizeKiB: number): FreezableDisk {
  const path = aMountPoint(t);
  const image = `${path}.image`;
  t.teardown(() => rmSync(image, { force: true }));
  writeFileSync(image, '');
  truncateSync(image, sizeKiB * 1024);
  run('mkfs.ext4', '-q', '-m', '0', image);
  run('mount', '-o', 'loop', image, path);
  t.teardown(() => run('umount', '--lazy', path));
  let isFrozen = false;
  const thaw = (): void => {
    if (isFrozen) run('fsfreeze', '--unfreeze', path);
    isFrozen = false;
  };
  t.teardown(thaw);
  const freeze = (): (() => void) => {
    run('fsfreeze', '--freeze', path);
    isFrozen = true;
    return thaw;
  };
  return { ...diskAt(path), freeze };
}

/** Why tests that need a file system of their own are left out; false: they are not. */
export const noDisk = whyNot((t) => aDisk(t, 64));

/** Why tests that need a disk which can be frozen are left out; false: they are not. */
export const noFreezableDisk = whyNot((t) => aFreezableDisk(t, 4_096).freeze()());

function whyNot(attempt: (t: Teardown) => unknown): string | false {
  const undo: (() => unknown)[] = [];
  try {
    attempt({ teardown: (work) => undo.unshift(work) });
    return false;
  } catch (error) {
    return `this machine mounts no file system for a test: ${String(error).split('\n')[0]}`;
  } finally {
    for (const work of undo) work();
  }
}

function aMountPoint(t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), 'understudy-disk-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function diskAt(path: string): Disk {
  return {
    path,
    remount: (how) => run('mount', '-o', `remount,${how}`, path),
    fill: () => fill(path),
  };
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: 'ignore' });
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
