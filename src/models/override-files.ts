import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, ServeError } from '../core/errors.ts';

/** `<version>/<file>` or `<file>`; no path that leaves the folder or that the repository's scan skips. */
const PATH = /^[^/\\._\0][^/\\\0]{0,254}(\/[^/\\.\0][^/\\\0]{0,254})?$/;

/** What the system says of names that are too long, or of a version that is called as a file is. */
const NAME_FAULTS: ReadonlySet<unknown> = new Set(['ENAMETOOLONG', 'EEXIST', 'EISDIR', 'ENOTDIR']);

/** Packages that callers brought along, each in a directory of its own outside the repository. */
export class OverrideFiles {
  readonly #parent: string;
  /** By model: the directory in use. */
  readonly #inUse = new Map<string, string>();

  /** Under `parent`, a directory that is there and that others may use too. */
  constructor(parent: string) {
    this.#parent = parent;
  }

  /**
   * Writes a model's files as a repository of their own and resolves with its path.
   * @throws ServeError `invalid_input` for a path that is not `<version>/<file>` or `<file>`, or collides with another,
   * `not_allowed` where no temporary files can be written. Nothing stays behind.
   */
  async write(model: string, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
    for (const path of files.keys()) {
      if (PATH.test(path)) continue;
      throw new ServeError(
        'invalid_input',
        `file of model '${model}': expected a path such as 1/model.onnx, found '${path.slice(0, 80)}'`,
      );
    }
    const root = await mkdtemp(join(this.#parent, 'understudy-model-')).catch((cause: unknown) => {
      throw noRoom(model, cause);
    });
    try {
      const folder = join(root, model);
      await mkdir(folder);
      for (const [path, content] of files) {
        const [version] = path.split('/');
        if (path.includes('/')) await mkdir(join(folder, version ?? ''), { recursive: true });
        await writeFile(join(folder, path), content);
      }
      return root;
    } catch (error) {
      await this.discard(root);
      if (!isNameFault(error)) throw noRoom(model, error);
      throw new ServeError(
        'invalid_input',
        `files of model '${model.slice(0, 80)}': expected names of at most 255 bytes, and no file that is called as a version is`,
        { cause: error },
      );
    }
  }

  /** From here on a model runs from this directory, or from the repository; what it ran from before is returned. */
  use(model: string, root: string | undefined): string | undefined {
    const before = this.#inUse.get(model);
    if (root === undefined) this.#inUse.delete(model);
    else this.#inUse.set(model, root);
    return before;
  }

  /** Removes a directory that nothing runs from. */
  async discard(root: string | undefined): Promise<void> {
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    const all = [...this.#inUse.values()];
    this.#inUse.clear();
    await Promise.all(all.map((root) => this.discard(root)));
  }
}

/** A folder that is missing, full or must not be written: the operator can change it, the caller cannot. */
function noRoom(model: string, cause: unknown): ServeError {
  const found = cause instanceof Error && 'code' in cause ? cause.code : messageOf(cause);
  return new ServeError(
    'not_allowed',
    `files of model '${model.slice(0, 80)}': expected room in the folder for temporary files, found ${found}; have TMPDIR name a folder that the gateway can write to`,
    { cause },
  );
}

function isNameFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NAME_FAULTS.has(error.code);
}
