import { ConfigError, type ConfigProblem } from '../config/config-error.ts';
import { ConfigFile } from '../config/config-file.ts';
import { readEnvironment } from '../config/environment.ts';
import type { Config } from '../config/schema.ts';
import { counted } from '../core/text.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';

/** A configuration file, read and checked. */
export type CheckedConfig =
  | { readonly kind: 'valid'; readonly file: string | undefined; readonly config: Config }
  | { readonly kind: 'invalid'; readonly error: ConfigError };

/** Reads the file as `serve` does: the one that is named, else that of the environment, else `understudy.yaml`, else all defaults. */
export async function checkedConfig(named: string | undefined): Promise<CheckedConfig> {
  const configFile = new ConfigFile(named ?? readEnvironment().configFile);
  try {
    const source = await configFile.read();
    return { kind: 'valid', file: source.file, config: configFile.configOf(source) };
  } catch (error) {
    if (error instanceof ConfigError) return { kind: 'invalid', error };
    throw error;
  }
}

/** @throws CommandError `usage` with all problems of a file that is invalid. */
export function expectValid(checked: CheckedConfig): Config {
  if (checked.kind === 'valid') return checked.config;
  const { error } = checked;
  throw new CommandError(EXIT.usage, error.message, { cause: error });
}

type Result = {
  readonly file: string | undefined;
  readonly valid: boolean;
  readonly problems: readonly ConfigProblem[];
  /** The models that the file names. */
  readonly models: readonly string[];
  /** What it sets for the rollouts of all models. */
  readonly rollout: object;
};

/** `understudy config check`: all problems of a file, without a gateway. Exit code 2 if there is one. */
export async function check(named: string | undefined, options: { readonly output: string }) {
  const format = readFormat(options.output);
  const checked = await checkedConfig(named);
  const result: Result =
    checked.kind === 'invalid'
      ? {
          ...{ file: checked.error.problems[0]?.file, valid: false },
          ...{ problems: checked.error.problems, models: [], rollout: {} },
        }
      : {
          ...{ file: checked.file, valid: true, problems: [] },
          ...{ models: Object.keys(checked.config.models), rollout: checked.config.rollout },
        };
  await print(result, format, resultText);
  process.exitCode = result.valid ? EXIT.ok : EXIT.usage;
}

function resultText({ file, problems, models, rollout }: Result): string {
  if (problems.length > 0) {
    const lines = problems.map(
      ({ file: name, line, column, path, message }) =>
        `${name}:${line}:${column} ${path && `${path}: `}${message}`,
    );
    return [...lines, `✖ ${counted(problems.length, 'problem')}`].join('\n');
  }
  if (file === undefined) return '✔ no file here: everything has its default';
  const keys = Object.keys(rollout);
  const defaults = keys.length === 0 ? '' : `; rollout sets ${keys.join(', ')} for all models`;
  return `✔ ${file}: valid, names ${counted(models.length, 'model')}${defaults}`;
}
