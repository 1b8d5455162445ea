import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProcess } from '../../bench/gateway-process.ts';
import { until } from '../support/until.ts';
import type { Examinee } from './examinee.ts';

/** Long enough for sixteen callers on a busy machine: what is asked is whose the answers are, not how fast. */
const DEADLINE_MS = 25_000;
const READY_MS_MAX = 240_000;

/** What a gateway says of a model. */
export type Standing = {
  readonly state: string;
  /** On which ground requests share runs or do not; empty where it is not served. */
  readonly batch: string;
  /** Why it is not served. */
  readonly reason: string;
};

type Version = { readonly state: string; readonly batch?: string; readonly reason?: string };
type Listed = {
  readonly models: readonly {
    readonly model: string;
    readonly reason?: string;
    readonly versions: readonly Version[];
  }[];
};

/** One gateway as a user starts it, with these models and not a word about batches, but for those that are declared. */
export class ServedSet {
  readonly #folder: string;
  readonly #gateway: GatewayProcess;

  private constructor(folder: string, gateway: GatewayProcess) {
    this.#folder = folder;
    this.#gateway = gateway;
  }

  /** Resolves once each model is ready or refused. */
  static async open(examinees: readonly Examinee[]): Promise<ServedSet> {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-rows-'));
    try {
      for (const { id, bytes } of examinees) {
        const place = join(folder, 'models', id, '1');
        await mkdir(place, { recursive: true });
        await writeFile(join(place, 'model.onnx'), bytes);
      }
      const config = join(folder, 'understudy.yaml');
      await writeFile(config, configOf(examinees));
      const served = new ServedSet(
        folder,
        await GatewayProcess.start(config, { withinMs: READY_MS_MAX }),
      );
      await until('every model is ready or refused', () => served.#isSettled(), READY_MS_MAX);
      return served;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get http(): string {
    return `http://127.0.0.1:${this.#gateway.port}`;
  }

  get grpc(): string {
    return `127.0.0.1:${this.#gateway.grpcPort}`;
  }

  get isRunning(): boolean {
    return this.#gateway.isRunning;
  }

  async standings(): Promise<ReadonlyMap<string, Standing>> {
    const { models } = (await this.#gateway.admin('GET', '/api/v1/models')) as Listed;
    return new Map(
      models.map(({ model, reason, versions: [version] }) => [
        model,
        {
          state: version?.state ?? 'absent',
          batch: version?.batch ?? '',
          reason: version?.reason ?? reason ?? '',
        },
      ]),
    );
  }

  /** Runs that more than one request shared, by model. */
  async sharedRuns(): Promise<ReadonlyMap<string, number>> {
    const text = String(await this.#gateway.admin('GET', '/metrics'));
    const shared = new Map<string, number>();
    const lines = /^understudy_batch_requests_(bucket|count)\{(.*)\} (\d+)$/gm;
    for (const [, kind, labels = '', count] of text.matchAll(lines)) {
      const model = /model="([^"]*)"/.exec(labels)?.[1] ?? '';
      if (kind === 'bucket' && !/le="1"/.test(labels)) continue;
      const sign = kind === 'count' ? 1 : -1;
      shared.set(model, (shared.get(model) ?? 0) + sign * Number(count));
    }
    return shared;
  }

  async close(): Promise<void> {
    await this.#gateway.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isSettled(): Promise<boolean> {
    if (!this.#gateway.isRunning) throw new Error('the gateway ended while it loaded models');
    const states = [...(await this.standings()).values()].map(({ state }) => state);
    return states.every((state) => ['ready', 'failed', 'refused', 'absent'].includes(state));
  }
}

function configOf(examinees: readonly Examinee[]): string {
  const sections = examinees.map(({ id, tier, isDeclared }) => {
    const batch = isDeclared ? 'batch: { rowsMax: 32 }, ' : '';
    const execution = `execution: { isolation: ${tier} }, instances: { replicas: 1 }`;
    return `  ${id}: { ${batch}${execution}, queue: { deadlineMs: ${DEADLINE_MS} } }\n`;
  });
  return `apiVersion: understudy/v1
server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, admin: 127.0.0.1:0 }
repository: ./models
ledger: ./ledger
models:
${sections.join('')}`;
}
