import { type OtlpVariables, readOtlpVariables } from './otlp.ts';

/** The environment variables that count. Read nowhere else. */
export type Environment = {
  /** UNDERSTUDY_CONFIG: the path of `understudy.yaml`. */
  readonly configFile: string | undefined;
  /** UNDERSTUDY_ADMIN: the admin address that commands call unless `--admin` says otherwise. */
  readonly admin: string | undefined;
  /** UNDERSTUDY_API_KEY: the API key or token that commands send, unless `--api-key-file` names one. */
  readonly apiKey: string | undefined;
  /** UNDERSTUDY_FEEDBACK_SECRET: signs feedback tokens; set it where tokens must outlive a restart. */
  readonly feedbackSecret: string | undefined;
  /** UNDERSTUDY_KEY_PEPPER: the secret under which API keys are known, in place of the file beside them. */
  readonly keyPepper: string | undefined;
  /**
   * Colours: `never` where NO_COLOR is set (https://no-color.org), FORCE_COLOR is 0 or false, or TERM is dumb; `always` where
   * FORCE_COLOR is anything else; by default `auto`, on a terminal.
   */
  readonly colour: 'never' | 'always' | 'auto';
  /** What is set of RUNTIME_VARIABLES. The processes that run models get these, and no others. */
  readonly runtime: Readonly<Record<string, string>>;
  /** What is set of the OTEL_* variables: they switch OpenTelemetry on. */
  readonly otlp: OtlpVariables;
  /** What is set of UNDERSTUDY_WEBHOOK_*: secrets that webhooks are signed with, by the name of their variable. */
  readonly webhookSecrets: Readonly<Record<string, string>>;
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

type Variables = OtlpVariables & {
  readonly UNDERSTUDY_CONFIG?: string | undefined;
  readonly UNDERSTUDY_ADMIN?: string | undefined;
  readonly UNDERSTUDY_API_KEY?: string | undefined;
  readonly UNDERSTUDY_FEEDBACK_SECRET?: string | undefined;
  readonly UNDERSTUDY_KEY_PEPPER?: string | undefined;
  readonly NO_COLOR?: string | undefined;
  readonly FORCE_COLOR?: string | undefined;
  readonly TERM?: string | undefined;
  readonly [name: string]: string | undefined;
};

/** Reads the environment. An empty variable counts as absent. */
export function readEnvironment(variables: Variables = process.env): Environment {
  return {
    configFile: variables.UNDERSTUDY_CONFIG || undefined,
    admin: variables.UNDERSTUDY_ADMIN || undefined,
    apiKey: variables.UNDERSTUDY_API_KEY || undefined,
    feedbackSecret: variables.UNDERSTUDY_FEEDBACK_SECRET || undefined,
    keyPepper: variables.UNDERSTUDY_KEY_PEPPER || undefined,
    colour: colourOf(variables),
    runtime: matching(variables, RUNTIME_VARIABLES),
    otlp: readOtlpVariables(variables),
    webhookSecrets: matching(variables, ['UNDERSTUDY_WEBHOOK_*']),
  };
}

function colourOf({ NO_COLOR, FORCE_COLOR, TERM }: Variables): Environment['colour'] {
  if (NO_COLOR) return 'never';
  if (FORCE_COLOR) return ['0', 'false'].includes(FORCE_COLOR) ? 'never' : 'always';
  return TERM === 'dumb' ? 'never' : 'auto';
}

function matching(variables: Variables, patterns: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables))
    if (value && patterns.some((pattern) => isMatch(pattern, name))) found[name] = value;
  return found;
}

function isMatch(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
