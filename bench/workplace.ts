import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GatewayProcess, type GatewayStart } from './gateway-process.ts';
import { Loader } from './loader.ts';
import { type Loads, sumOfLoads } from './loads.ts';
import { temporaryFolder } from './temporary-folder.ts';

type Ending = { readonly close: () => Promise<void> | void };

/** A gateway's configuration without ports, ledger and repository. */
export type GatewaySections = {
  readonly models: unknown;
  /** This workplace's own where none is given. */
  readonly repository?: string;
  readonly server?: Readonly<Record<string, string>>;
  readonly telemetry?: unknown;
};

/** A temporary folder for one suite (configurations, models, ledgers), the load generator, and all that the suite starts. */
export class Workplace {
  readonly #root: string;
  readonly #endings: Ending[] = [];
  readonly #loaders: Loader[] = [];
  readonly loader: Loader;
  /** Says how far the suite is. */
  readonly print: (line: string) => void;
  #configs = 0;

  private constructor(root: string, print: (line: string) => void) {
    this.#root = root;
    this.print = print;
    this.loader = this.addLoader();
  }

  /** One more generator, for what is loaded at the same time. */
  addLoader(): Loader {
    const loader = this.closing(new Loader(this.print));
    this.#loaders.push(loader);
    return loader;
  }

  /** What all generators say of their loads. */
  get loads(): Loads {
    return sumOfLoads(this.#loaders.map(({ loads }) => loads));
  }

  /** Does the work in a new workplace, and ends the processes started there, however the work ends. */
  static async during<T>(
    print: (line: string) => void,
    work: (workplace: Workplace) => Promise<T>,
  ): Promise<T> {
    const folder = await temporaryFolder(join(tmpdir(), 'understudy-bench-'));
    const workplace = new Workplace(folder.path, print);
    try {
      return await work(workplace);
    } finally {
      await workplace.#end();
      await folder.remove();
    }
  }

  /** Ends it with the workplace. */
  closing<T extends Ending>(ending: T): T {
    this.#endings.push(ending);
    return ending;
  }

  /** Starts a gateway as a user does. */
  async startGateway(sections: GatewaySections, start: GatewayStart = {}): Promise<GatewayProcess> {
    return this.closing(await GatewayProcess.start(await this.writeConfig(sections), start));
  }

  /** Writes a file of this name. Returns its path. */
  async addFile(name: string, text: string): Promise<string> {
    const file = join(this.#root, name);
    await writeFile(file, text);
    return file;
  }

  /** Puts a model into this workplace's repository, as version 1. Returns its file. */
  async addModel(name: string, bytes: Uint8Array): Promise<string> {
    const file = this.modelFile(name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    return file;
  }

  /** Where `addModel` puts a model of this name. */
  modelFile(name: string): string {
    return join(this.#root, 'models', name, '1', 'model.onnx');
  }

  /** Puts a `config.pbtxt` into a model's folder. */
  async configureModel(name: string, config: string): Promise<void> {
    await writeFile(join(this.#root, 'models', name, 'config.pbtxt'), config);
  }

  /** Writes a configuration with free ports and a ledger of its own. Returns the file. */
  async writeConfig({
    models,
    repository = './models',
    server,
    telemetry = {},
  }: GatewaySections): Promise<string> {
    this.#configs += 1;
    const file = join(this.#root, `gateway-${this.#configs}.yaml`);
    const config = {
      apiVersion: 'understudy/v1',
      server: { http: '127.0.0.1:0', grpc: '127.0.0.1:0', admin: '127.0.0.1:0', ...server },
      repository,
      ledger: `./ledger-${this.#configs}`,
      telemetry,
      models,
    };
    // JSON is YAML.
    await writeFile(file, JSON.stringify(config, null, 2));
    return file;
  }

  async #end(): Promise<void> {
    for (const each of this.#endings.reverse()) await each.close();
  }
}
