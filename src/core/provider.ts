/** Which execution provider was asked for and which one runs. */
export type ProviderReport = {
  /** In order of preference. */
  readonly requested: readonly string[];
  readonly actual: string;
  /** Why it is not the first requested; undefined where it is. */
  readonly fallbackReason: string | undefined;
};

/** `cpu`, or `cpu, because ...` where another was asked for, as every view prints it. */
export function providerText({ requested, actual, fallbackReason }: ProviderReport): string {
  if (fallbackReason === undefined) return actual;
  return `${actual}, because ${requested[0]} cannot be had (${fallbackReason})`;
}
