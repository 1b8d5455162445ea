import type { Route } from '../core/route.ts';
import { versionsToLoad } from '../repository/versions-to-load.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { type Seat, type SeatRole, seatKey, seatRoleOf } from './residency.ts';

export type Seats = {
  /** One for each share, stable, and each target of rules and aliases. */
  readonly required: readonly Seat[];
  /** What the model's policy keeps loaded for those who name a version. */
  readonly resident: readonly Seat[];
};

/** The seats that a route needs, taken by the builds of what was read of the model. */
export function seatsOf(route: Route, entry: CatalogEntry | undefined): Seats {
  const { model } = route;
  const seat = (version: string, role: SeatRole): Seat => ({
    target: { model, version },
    role,
    build: entry?.builds.get(version) ?? '',
  });
  const seats: Seat[] = [
    seat(route.stable, 'main'),
    ...route.shares.map((share) => seat(share.version, seatRoleOf(share.arm))),
    ...route.rules.map((rule) => seat(rule.version, 'main')),
    ...Object.values(route.aliases).map((version) => seat(version, 'main')),
  ];
  const byKey = new Map(seats.map((each) => [seatKey(each), each]));
  const required = withoutSpares([...byKey.values()]);
  return {
    required,
    resident: residentOf(entry, required).map((version) => seat(version, 'main')),
  };
}

function residentOf(entry: CatalogEntry | undefined, required: readonly Seat[]): readonly string[] {
  if (entry === undefined) return [];
  const policy = entry.settings.versions;
  const seated = new Set(required.map(({ target }) => target.version));
  const found = [...entry.packages.keys()];
  const all = versionsToLoad({ policy, found, routed: [...seated] });
  return all.filter((version) => !seated.has(version));
}

/** A version that sits as candidate or control answers its rules from there: no second copy for them. */
function withoutSpares(seats: readonly Seat[]): readonly Seat[] {
  const stable = seats[0]?.target.version;
  const elsewhere = new Set(
    seats.filter((seat) => seat.role !== 'main').map((seat) => seat.target.version),
  );
  return seats.filter(
    ({ role, target }) =>
      role !== 'main' || target.version === stable || !elsewhere.has(target.version),
  );
}
