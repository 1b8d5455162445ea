import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { parseYamlFile } from './yaml-file.ts';

/**
 * The keys of a `rollout` section in a file of their own, as written: whoever starts the rollout checks them.
 *
 * @throws ConfigError for what is no YAML, or no keys and values; the system's error for a file that cannot be read.
 */
export async function readRolloutFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  return parseYamlFile(
    { file, text: await readFile(file, 'utf8') },
    z.record(z.string(), z.unknown()),
  );
}
