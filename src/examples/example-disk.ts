/**
 * Writes, reads and deletes the files of examples, of all models, one after the other and in the background. Nothing waits for a
 * write: what waits for the disk is bounded in number and bytes, and what finds no room, or a disk that is full or does not answer, is
 * lost, which is the caller's to count.
 *
 * A file is written beside its place and renamed, so a process that is killed leaves a whole file or one that is not looked at.
 */
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BoundedQueue, type Turn } from '../disk/bounded-queue.ts';
import { makeDirectory } from '../disk/make-directory.ts';

const DISK_MS_MAX = 5_000;

/** What waits for the disk at most. */
const WAITING_MAX = 256;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;

const TEMPORARY = '.tmp';

export type WriteOrder = {
  readonly file: string;
  readonly pieces: readonly Uint8Array[];
  /** Of all pieces. */
  readonly bytes: number;
  /** Called once: undefined when it is there, else why it is not. */
  readonly onEnd: (error: unknown) => void;
};

/** A file as it lies there. */
export type FoundFile = { readonly name: string; readonly isFile: boolean };

export class ExampleDisk {
  readonly #queue = new BoundedQueue({ disk: 'the kept examples', msMax: DISK_MS_MAX });
  readonly #waiting: WriteOrder[] = [];
  #waitingBytes = 0;
  #pumping: Promise<void> | undefined;

  /** Takes a file to be written, or says that there is no room to wait. Never blocks and never throws. */
  write(order: WriteOrder): boolean {
    const hasRoom =
      this.#waiting.length < WAITING_MAX && this.#waitingBytes + order.bytes <= WAITING_BYTES_MAX;
    if (!hasRoom || this.#queue.isStuck()) return false;
    this.#waiting.push(order);
    this.#waitingBytes += order.bytes;
    this.#pumping ??= this.#pump();
    return true;
  }

  /** Gives up a write that has not begun; its `onEnd` is not called. */
  cancel(file: string): void {
    const at = this.#waiting.findIndex((order) => order.file === file);
    const [order] = at < 0 ? [] : this.#waiting.splice(at, 1);
    this.#waitingBytes -= order?.bytes ?? 0;
  }

  /** Deletes a file, after what is being written. Rejects where the disk does not do it within 5 s. */
  async remove(file: string): Promise<void> {
    this.cancel(file);
    await this.#queue.run(() => rm(file, { force: true }));
  }

  /** So many bytes from the start of a file. Rejects where there is no such regular file; a link is not followed. */
  async read(file: string, bytesMax: number): Promise<{ bytes: Buffer; fileBytes: number }> {
    return await this.#queue.run(async () => {
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const found = await handle.stat();
        if (!found.isFile()) throw new Error(`${file}: expected a regular file`);
        const bytes = Buffer.alloc(Math.min(found.size, bytesMax));
        const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, 0);
        return { bytes: bytes.subarray(0, bytesRead), fileBytes: found.size };
      } finally {
        await handle.close();
      }
    });
  }

  /** Makes a folder that only its owner may look into, and lists it. What earlier processes left half-written is deleted. */
  async openFolder(folder: string): Promise<readonly FoundFile[]> {
    return await this.#queue.run(async () => {
      await ownFolder(folder);
      const found: FoundFile[] = [];
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        if (entry.name.endsWith(TEMPORARY)) await rm(join(folder, entry.name), { force: true });
        else found.push({ name: entry.name, isFile: entry.isFile() });
      }
      return found;
    });
  }

  /** Runs other work on the same disk, in turn. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    return await this.#queue.run(work);
  }

  /** Resolves once nothing waits, or the disk has given up on it. */
  async idle(): Promise<void> {
    while (this.#pumping !== undefined) await this.#pumping;
  }

  async #pump(): Promise<void> {
    // In a turn of its own: the caller may be in the middle of a live request's.
    await new Promise(setImmediate);
    for (let order = this.#waiting.shift(); order !== undefined; order = this.#waiting.shift()) {
      const { file, pieces, bytes, onEnd } = order;
      const error = await this.#written(file, pieces);
      this.#waitingBytes -= bytes;
      onEnd(error);
    }
    this.#pumping = undefined;
  }

  /** Why it could not be written; undefined: it is there. What waits behind a disk that does not answer is not tried. */
  async #written(file: string, pieces: readonly Uint8Array[]): Promise<unknown> {
    if (this.#queue.isStuck()) return new Error('the disk does not answer');
    return await this.#queue
      .run((turn) => writeWhole(file, pieces, turn))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
  }
}

/** Makes a folder of mode 0700; one that is there must be a folder, and no link to one. */
async function ownFolder(folder: string): Promise<void> {
  await makeDirectory(join(folder, '..'));
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory())
    throw new Error(`${folder}: expected a folder, found something else, such as a link`);
  if ((found.mode & 0o077) !== 0) await chmod(folder, 0o700);
}

async function writeWhole(file: string, pieces: readonly Uint8Array[], turn: Turn): Promise<void> {
  const temporary = file + TEMPORARY;
  try {
    await rm(temporary, { force: true });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const handle = await open(temporary, flags, 0o600);
    await writePieces(handle, pieces).finally(() => handle.close());
    if (!turn.isOver) await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  // It was given up, and counts as lost.
  if (turn.isOver) await Promise.all([file, temporary].map((path) => rm(path, { force: true })));
}

async function writePieces(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) await handle.writeFile(piece);
}
