/** What becomes of values that a loop of a length known beforehand carries from turn to turn. */
import { isSettled } from './extent.ts';
import { SENT, type Step, sent, type Traced } from './traced.ts';

/** Values settle within a turn or two, or are not followed. */
const TURNS_MAX = 4;

/**
 * Follows turns until one leaves what is known of the carried values as it is. `turn` gives what its graph does: whether to go
 * on, the carried values, then those of which each turn adds one.
 */
export function followLoop(
  initial: readonly Traced[],
  turn: (carried: readonly Traced[]) => readonly Traced[],
): Step {
  let carried = initial;
  for (let turns = 0; turns < TURNS_MAX; turns += 1) {
    const [goesOn, ...results] = turn(carried);
    if (!isSame(goesOn)) return 'runs as often as what was sent says';
    const next = carried.map((value, at) => either(value, results[at] ?? SENT));
    if (next.every((value, at) => isAsKnown(value, carried[at]))) {
      return [...next, ...results.slice(carried.length).map(stacked)];
    }
    carried = next;
  }
  return 'is not followed to where its values settle';
}

/** True if a value is the same for all requests that share a run, and whichever do. */
export function isSame(value: Traced | undefined): boolean {
  return value?.kind === 'fixed' || (value?.kind === 'sized' && isSettled(value.content));
}

/** What is known of a value that is one or the other. */
function either(a: Traced, b: Traced): Traced {
  const rank = a.rank === b.rank ? a.rank : undefined;
  if (a.kind !== 'sent' && b.kind !== 'sent') {
    const isSized = a.kind === 'sized' || b.kind === 'sized' || a.row !== b.row;
    return { kind: isSized ? 'sized' : 'fixed', rank };
  }
  if (a.kind !== 'sent') return sent(rank, b.row);
  if (b.kind !== 'sent') return sent(rank, a.row);
  return sent(rank, a.row === b.row ? a.row : undefined);
}

function isAsKnown(a: Traced, b: Traced | undefined): boolean {
  return a.kind === b?.kind && a.rank === b.rank && a.row === b.row && b.content === undefined;
}

/** The values of all turns, one behind the other along a new axis in front. */
function stacked({ kind, rank, row }: Traced): Traced {
  const wide = rank === undefined ? undefined : rank + 1;
  return { kind, rank: wide, row: row === undefined ? undefined : row + 1 };
}
