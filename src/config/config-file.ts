import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import { readRegularFile } from '../disk/read-regular-file.ts';
import { ConfigError } from './config-error.ts';
import { type ConfigSource, configOf, NO_FILE, parseSource, readSource } from './load.ts';
import type { Config } from './schema.ts';

/** The file that is read where none is named, in the working directory. */
const CONFIG_FILE = 'understudy.yaml';

/** What is still being written changes within this time; milliseconds. */
const SETTLE_MS = 100;

/** How often a file is read until two readings are the same. */
const READS_MAX = 50;

/** Far beyond any configuration. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Says a part of the configuration in place of the file, each time that it is read. */
export type ConfigOverride = (config: Config) => Config;

export type ConfigFileOptions = {
  readonly override?: ConfigOverride;
  /** Awaited between two readings of a file that may still be written; by default 100 ms. */
  readonly settle?: () => Promise<void>;
};

/** The file that a gateway was started with, which can be read again. */
export class ConfigFile {
  readonly #name: string | undefined;
  readonly #override: ConfigOverride;
  readonly #settle: () => Promise<void>;

  /** Without a name: `understudy.yaml`, as soon as there is one. */
  constructor(name: string | undefined, options: ConfigFileOptions = {}) {
    this.#name = name ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined);
    this.#override = options.override ?? ((config) => config);
    this.#settle = options.settle ?? (() => pause(SETTLE_MS));
  }

  /**
   * Reads the file at the start.
   *
   * @throws ConfigError with all problems together.
   */
  async readFirst(): Promise<ConfigSource> {
    return await readSource(this.#name);
  }

  /**
   * Reads the whole file again and checks it. One that is being written is read again until it stands still.
   *
   * @throws ConfigError with all problems together; a file that cannot be read, or that never stands still, is one.
   */
  async read(): Promise<ConfigSource> {
    const file = this.#name ?? CONFIG_FILE;
    const isNone = this.#name === undefined && !existsSync(CONFIG_FILE);
    return isNone ? NO_FILE : parseSource(file, await settledText(file, this.#settle));
  }

  /** @throws ConfigError */
  configOf(source: ConfigSource): Config {
    return this.#override(configOf(source));
  }
}

async function settledText(file: string, settle: () => Promise<void>): Promise<string> {
  let before = await textOf(file);
  for (let reads = 1; reads < READS_MAX; reads += 1) {
    await settle();
    const now = await textOf(file);
    if (now === before) return now;
    before = now;
  }
  throw problem(file, 'expected a file that stands still, found one that is being written');
}

async function textOf(file: string): Promise<string> {
  try {
    return (await readRegularFile(file, { bytesMax: FILE_BYTES_MAX })).text;
  } catch (cause) {
    throw problem(file, `expected a readable file: ${messageOf(cause)}`, cause);
  }
}

function problem(file: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ file, line: 1, column: 1, path: '', message }], { cause });
}
