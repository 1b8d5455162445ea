/** The environment variables that count. Read nowhere else. */
export type Environment = {
  /** UNDERSTUDY_CONFIG: the path of `understudy.yaml`. */
  readonly configFile: string | undefined;
  /** UNDERSTUDY_FEEDBACK_SECRET: signs feedback tokens; set it where tokens must outlive a restart. */
  readonly feedbackSecret: string | undefined;
  /** NO_COLOR, set to anything: no colours in the terminal (https://no-color.org). */
  readonly noColor: boolean;
};

type Variables = {
  readonly UNDERSTUDY_CONFIG?: string | undefined;
  readonly UNDERSTUDY_FEEDBACK_SECRET?: string | undefined;
  readonly NO_COLOR?: string | undefined;
};

/** Reads the environment. An empty variable counts as absent. */
export function readEnvironment(variables: Variables = process.env): Environment {
  return {
    configFile: variables.UNDERSTUDY_CONFIG || undefined,
    feedbackSecret: variables.UNDERSTUDY_FEEDBACK_SECRET || undefined,
    noColor: Boolean(variables.NO_COLOR),
  };
}
