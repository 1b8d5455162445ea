import type { Log } from '../core/log.ts';
import { mebibytesText } from '../core/text.ts';
import { MemoryBudget } from './memory-budget.ts';

/** The rest is for models, code and what the runtimes hold. */
const SHARE_OF_MEMORY = 4;

/** One of the largest size is there twice: as it came, and decoded or inflated. */
const COPIES = 2;

export type BudgetLimits = {
  /** `limits.memoryMax`. */
  readonly memoryBytesMax: number | 'auto';
  /** `limits.bodyMax`. */
  readonly bodyBytesMax: number;
};

/**
 * What requests in flight may hold together, and a line in the log that says how much that is. `memoryBytes`: what the process
 * may use.
 */
export function requestBudget(limits: BudgetLimits, memoryBytes: number, log: Log): MemoryBudget {
  const bytesMax = budgetBytesMax(limits, memoryBytes);
  log({
    level: 'info',
    message: `limits.memoryMax: ${mebibytesText(bytesMax)} for bodies, messages and answers in flight`,
  });
  return new MemoryBudget(bytesMax);
}

/** The size of that budget, as it is configured. */
export function budgetBytesMax(limits: BudgetLimits, memoryBytes: number): number {
  return memoryBytesMax(limits.memoryBytesMax, limits.bodyBytesMax, memoryBytes);
}

/** `limits.memoryMax` in bytes; `auto`: a quarter of the memory, and never too little for one body of the largest size. */
export function memoryBytesMax(
  configured: number | 'auto',
  bodyBytesMax: number,
  memoryBytes: number,
): number {
  if (configured !== 'auto') return configured;
  return Math.max(
    MemoryBudget.for(COPIES * bodyBytesMax),
    Math.floor(memoryBytes / SHARE_OF_MEMORY),
  );
}
