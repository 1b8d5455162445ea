import { readFile } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import { ConfigError } from './config-error.ts';
import { section } from './expected.ts';
import { isRecord } from './merge.ts';
import { version } from './quantities.ts';
import { rolloutKeys } from './rollout-section.ts';
import { placeIn, readYaml, type YamlFile } from './yaml-file.ts';

/** The keys of a `rollout` section in a file of their own. */
export type RolloutFile = {
  /** The keys as the user wrote them: `rollout start` merges them over the configured section and reads them again. */
  readonly source: Readonly<Record<string, unknown>>;
  /**
   * A complaint about the keys, of the form `steps.0: expected ...; slices: expected ...`, as an error that says where in the
   * file each of them is; undefined where a part of it is not about the file.
   */
  readonly complaint: (message: string) => ConfigError | undefined;
};

const schema = section({ candidate: version.optional(), ...rolloutKeys });

/**
 * Reads a file of the keys of a `rollout` section and checks each of them.
 *
 * @throws ConfigError with every problem and its place; a file that cannot be read is one.
 */
export async function readRolloutFile(file: string): Promise<RolloutFile> {
  const yaml = { file, text: await textOf(file) };
  const { source } = readYaml(yaml, schema);
  return {
    source: isRecord(source) ? source : {},
    complaint: (message) => complaintOf(yaml, message),
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = `expected a readable file: ${messageOf(cause)}`;
    throw new ConfigError([{ file, line: 1, column: 1, path: '', message }], { cause });
  }
}

function complaintOf(source: YamlFile, message: string): ConfigError | undefined {
  const problems = message.split('; ').flatMap((part) => {
    const [, path, said] = /^([A-Za-z][\w.]*): (.+)$/s.exec(part) ?? [];
    if (path === undefined || said === undefined) return [undefined];
    const place = placeIn(source, path.split('.'));
    return [place && { file: source.file, ...place, path, message: said }];
  });
  const placed = problems.filter((problem) => problem !== undefined);
  return placed.length < problems.length ? undefined : new ConfigError(placed);
}
