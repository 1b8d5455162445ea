import type { Route } from '../core/route.ts';
import { type Seat, seatKey, seatRoleOf } from '../host/residency.ts';

/** The seats that a route needs: one for each share, stable, and whatever rules and aliases lead to. */
export function seatsOf(route: Route): readonly Seat[] {
  const { model } = route;
  const seats: Seat[] = [
    { target: { model, version: route.stable }, role: 'main' },
    ...route.shares.map(
      (share): Seat => ({ target: { model, version: share.version }, role: seatRoleOf(share.arm) }),
    ),
    ...route.rules.map(
      (rule): Seat => ({ target: { model, version: rule.version }, role: 'main' }),
    ),
    ...Object.values(route.aliases).map(
      (version): Seat => ({ target: { model, version }, role: 'main' }),
    ),
  ];
  const byKey = new Map(seats.map((seat) => [seatKey(seat), seat]));
  return withoutSpares([...byKey.values()]);
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
