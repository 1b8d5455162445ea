/** One thing wrong in one file. `line` and `column` count from 1; `path` is dotted, empty at the top of the file. */
export type ConfigProblem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
};

/** Thrown with all problems together. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join('\n'), options);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** `understudy.yaml:6:5 models.fashion: message`, as editors and terminals make links of it. */
function formatProblem({ file, line, column, path, message }: ConfigProblem): string {
  return `${file}:${line}:${column} ${path && `${path}: `}${message}`;
}
