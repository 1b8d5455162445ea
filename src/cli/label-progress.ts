import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';

/** How far a file of labels has been sent. */
export type Progress = {
  /** The last line whose label has been answered, and all before it. */
  readonly line: number;
  /** Answers so far, by state. */
  readonly counts: Readonly<Record<string, number>>;
};

const NONE: Progress = { line: 0, counts: {} };

/** The small file beside a file of labels that says how far an import has come. */
export class ProgressFile {
  readonly #file: string;
  readonly #path: string;
  #of = '';

  constructor(file: string) {
    this.#file = file;
    this.#path = `${file}.progress`;
  }

  /** Where an earlier import of the same file, unchanged, has stopped; of a changed one all is sent again, which counts once. */
  async read(): Promise<Progress> {
    const { size, mtimeMs } = await stat(this.#file);
    this.#of = `${size} bytes of ${mtimeMs}`;
    const text = await readFile(this.#path, 'utf8').catch(() => '');
    try {
      const { of, line, counts } = JSON.parse(text) as Progress & { readonly of: string };
      return of === this.#of && Number.isSafeInteger(line) ? { line, counts } : NONE;
    } catch {
      return NONE;
    }
  }

  async write(progress: Progress): Promise<void> {
    const next = `${this.#path}.next`;
    await writeFile(next, JSON.stringify({ of: this.#of, ...progress }));
    await rename(next, this.#path);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
