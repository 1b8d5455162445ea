import { messageOf } from '../core/errors.ts';
import { BoundedQueue } from '../disk/bounded-queue.ts';
import { readRegularFile } from '../disk/read-regular-file.ts';

const READ_MS_MAX = 5_000;

/**
 * Reads secrets, addresses and certificates. A disk that does not answer holds one of the threads for files, for all webhooks
 * together, and a pipe or a device is not opened.
 */
export class SmallFiles {
  readonly #reads = new BoundedQueue({ disk: 'the files of webhooks', msMax: READ_MS_MAX });

  /** @throws where there is no regular file of at most `bytesMax`. */
  text(file: string, bytesMax: number): Promise<string> {
    return this.#reads.run(async () => {
      try {
        return (await readRegularFile(file, { bytesMax })).text;
      } catch (cause) {
        throw new Error(`${file}: ${messageOf(cause)}`, { cause });
      }
    });
  }
}
