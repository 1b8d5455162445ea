import type { Arm } from '../core/route.ts';
import type { ModelVersion } from '../core/version.ts';

/**
 * A place for a version at work. `main` serves what the split, rules and pins send to a version; `candidate` and `control`
 * are copies of their own, so that the two arms of a trial are alike in everything but the model.
 */
export type Seat = {
  readonly target: ModelVersion;
  readonly role: SeatRole;
  /** Names the package and the settings that are run. Of one place, two builds may be loaded while one takes over from the other. */
  readonly build: string;
};

export type SeatRole = 'main' | 'candidate' | 'control';

/** The seat that answers for an arm. */
export function seatRoleOf(arm: Arm): SeatRole {
  return arm === 'candidate' || arm === 'control' ? arm : 'main';
}

export function seatKey(seat: Seat): string {
  return `${placeKey(seat.target, seat.role)}/${seat.build}`;
}

/** What requests are sent to: whichever build sits there. */
export function placeKey({ model, version }: ModelVersion, role: SeatRole): string {
  return `${model}/${version}/${role}`;
}

/** What must happen so that all wanted seats are taken: changes of role first, since they cost nothing. */
export type ResidencyPlan = {
  /** A version that sits where it is not wanted takes another seat of the same build instead of being loaded twice. */
  readonly moves: readonly { readonly from: Seat; readonly to: Seat }[];
  readonly loads: readonly Seat[];
  /** Seats that are not wanted. Empty them only after the route no longer leads to them. */
  readonly drops: readonly Seat[];
};

/** Compares what is wanted with what is there. Pure: the fleet carries the plan out. */
export function planResidency(wanted: readonly Seat[], present: readonly Seat[]): ResidencyPlan {
  const wantedKeys = new Set(wanted.map(seatKey));
  const presentKeys = new Set(present.map(seatKey));
  const spare = present.filter((seat) => !wantedKeys.has(seatKey(seat)));
  const moves: { from: Seat; to: Seat }[] = [];
  const loads: Seat[] = [];
  for (const seat of wanted) {
    if (presentKeys.has(seatKey(seat))) continue;
    const at = spare.findIndex((other) => sameBuild(other, seat));
    const [from] = at < 0 ? [] : spare.splice(at, 1);
    if (from) moves.push({ from, to: seat });
    else loads.push(seat);
  }
  return { moves, loads, drops: spare };
}

function sameBuild(a: Seat, b: Seat): boolean {
  const [mine, theirs] = [a.target, b.target];
  return mine.model === theirs.model && mine.version === theirs.version && a.build === b.build;
}
