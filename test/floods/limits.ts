/** What a flood may cost at most. */
import { type Finding, MEMORY_MAX_MIB } from './exam.ts';

/** Of live requests: a quarter of the second that clients give by default. A p99 below it is good regardless of the control's. */
const P99_FREE_MS = 250;

/** Twice what requests may hold, as the engine finds out late what is no longer needed. */
export function memoryBoundMib(beforeMib: number): number {
  return beforeMib + 2 * MEMORY_MAX_MIB;
}

/**
 * Once all floods so far are over, beyond what the gateway had before the first. The C library keeps what one flood took for the
 * next, at most what requests may hold and half as much again for what was not collected yet: more is a leak.
 */
export function keptBoundMib(firstMib: number): number {
  return firstMib + 1.5 * MEMORY_MAX_MIB;
}

/** How long live requests may take, compared with a gateway under the same load that is not flooded. */
export function p99BoundMs({ flood, control }: Pick<Finding, 'flood' | 'control'>): number {
  return Math.max(P99_FREE_MS, flood.ratioMax * control.p99Ms);
}

/** What a flood cost that it may not, in words; nothing where it kept to the limits. */
export function excesses(finding: Finding, firstMib: number): readonly string[] {
  const { tested, control, memory } = finding;
  const checks: readonly (readonly [string, number, number])[] = [
    ['failed live requests', control.failed, tested.failed],
    ['ms at p99', p99BoundMs(finding), tested.p99Ms],
    ['MiB meanwhile', memoryBoundMib(memory.before), memory.most],
    ['MiB afterwards', keptBoundMib(firstMib), memory.after],
  ];
  return checks.flatMap(([what, most, found]) =>
    found <= most
      ? []
      : [`expected at most ${Math.round(most)} ${what}, found ${Math.round(found)}`],
  );
}
