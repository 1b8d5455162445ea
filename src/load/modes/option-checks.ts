/**
 * Checks of what a mode is asked to do. All throw a RangeError that names the option, what it must be and what it is: a bench
 * that would run for an hour and then show nothing is refused before its first request.
 */

/** Checks that `durationMs` is longer than `warmupMs`, which is not negative. */
export function checkLengths(order: {
  readonly durationMs: number;
  readonly warmupMs: number;
}): void {
  const { durationMs, warmupMs } = order;
  checkNumber('warmupMs', warmupMs, { from: 0 });
  checkNumber('durationMs', durationMs, { above: 0 });
  if (durationMs <= warmupMs) {
    throw new RangeError(
      `durationMs must be more than warmupMs (${warmupMs}), not ${durationMs}: nothing would be measured`,
    );
  }
}

/** Limits of an option: `above` and `below` are not allowed themselves, `from` and `to` are. */
export type Limits = {
  readonly above?: number;
  readonly from?: number;
  readonly below?: number;
  readonly to?: number;
  readonly whole?: boolean;
};

/** Checks that an option is a finite number within its limits. */
export function checkNumber(name: string, value: number, limits: Limits): void {
  const fits =
    Number.isFinite(value) &&
    (limits.above === undefined || value > limits.above) &&
    (limits.from === undefined || value >= limits.from) &&
    (limits.below === undefined || value < limits.below) &&
    (limits.to === undefined || value <= limits.to) &&
    (limits.whole !== true || Number.isInteger(value));
  if (!fits) throw new RangeError(`${name} must be ${limitsText(limits)}, not ${value}`);
}

function limitsText(limits: Limits): string {
  const parts = [
    limits.above === undefined ? undefined : `more than ${limits.above}`,
    limits.from === undefined ? undefined : `at least ${limits.from}`,
    limits.below === undefined ? undefined : `less than ${limits.below}`,
    limits.to === undefined ? undefined : `at most ${limits.to}`,
  ].filter((part) => part !== undefined);
  return [limits.whole === true ? 'a whole number' : 'a number', parts.join(' and ')]
    .filter((part) => part !== '')
    .join(', ');
}
