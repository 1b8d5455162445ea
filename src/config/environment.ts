/** The environment variables that count. Read nowhere else. */
export type Environment = {
  /** UNDERSTUDY_CONFIG: the path of `understudy.yaml`. */
  readonly configFile: string | undefined;
  /** UNDERSTUDY_ADMIN: the admin address that commands call unless `--admin` says otherwise. */
  readonly admin: string | undefined;
  /** UNDERSTUDY_FEEDBACK_SECRET: signs feedback tokens; set it where tokens must outlive a restart. */
  readonly feedbackSecret: string | undefined;
  /** NO_COLOR, set to anything: no colours in the terminal (https://no-color.org). */
  readonly noColor: boolean;
  /** What is set of RUNTIME_VARIABLES. The processes that run models get these, and no others. */
  readonly runtime: Readonly<Record<string, string>>;
};

/** What the libraries of a runtime read. `*` at the end stands for any ending. */
export const RUNTIME_VARIABLES = [
  'LD_LIBRARY_PATH',
  'CUDA_*',
  'NVIDIA_*',
  'OMP_*',
  'LANG',
  'LC_*',
  'TZ',
  'TMPDIR',
] as const;

type Variables = {
  readonly UNDERSTUDY_CONFIG?: string | undefined;
  readonly UNDERSTUDY_ADMIN?: string | undefined;
  readonly UNDERSTUDY_FEEDBACK_SECRET?: string | undefined;
  readonly NO_COLOR?: string | undefined;
  readonly [name: string]: string | undefined;
};

/** Reads the environment. An empty variable counts as absent. */
export function readEnvironment(variables: Variables = process.env): Environment {
  return {
    configFile: variables.UNDERSTUDY_CONFIG || undefined,
    admin: variables.UNDERSTUDY_ADMIN || undefined,
    feedbackSecret: variables.UNDERSTUDY_FEEDBACK_SECRET || undefined,
    noColor: Boolean(variables.NO_COLOR),
    runtime: runtimeVariables(variables),
  };
}

function runtimeVariables(variables: Variables): Record<string, string> {
  const runtime: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables))
    if (value && RUNTIME_VARIABLES.some((pattern) => isMatch(pattern, name))) runtime[name] = value;
  return runtime;
}

function isMatch(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
