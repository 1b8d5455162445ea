import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder for one suite: gateways' configurations, models and ledgers. */
export class Workplace {
  readonly #root: string;
  #configs = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  static async create(): Promise<Workplace> {
    return new Workplace(await mkdtemp(join(tmpdir(), 'understudy-bench-')));
  }

  /** Puts a model into this workplace's repository, as version 1. Returns its file. */
  async addModel(name: string, bytes: Uint8Array): Promise<string> {
    const folder = join(this.#root, 'models', name, '1');
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'model.onnx');
    await writeFile(file, bytes);
    return file;
  }

  /**
   * Writes a configuration with free ports and a ledger of its own. `models` is the section of that name; `repository` is
   * this workplace's own where none is given. Returns the file.
   */
  async writeConfig(models: unknown, repository = './models'): Promise<string> {
    this.#configs += 1;
    const file = join(this.#root, `gateway-${this.#configs}.yaml`);
    const config = {
      apiVersion: 'understudy/v1',
      server: { http: '127.0.0.1:0', grpc: '127.0.0.1:0', admin: '127.0.0.1:0' },
      repository,
      ledger: `./ledger-${this.#configs}`,
      models,
    };
    // JSON is YAML.
    await writeFile(file, JSON.stringify(config, null, 2));
    return file;
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}
