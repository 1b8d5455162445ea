import type { AuthSection } from '../config/auth-section.ts';
import type { Grant } from '../core/caller.ts';

const indexes = new WeakMap<AuthSection['grants'], ReadonlyMap<string, readonly Grant[]>>();

/** What the section grants these subjects (`user:NAME`, `group:NAME`, `certificate:NAME`) together, and everyone. */
export function grantsTo(
  { grants, anonymous }: AuthSection,
  subjects: readonly string[],
): readonly Grant[] {
  const index = indexOf(grants);
  return [...anonymous, ...subjects.flatMap((subject) => index.get(subject) ?? [])];
}

function indexOf(grants: AuthSection['grants']): ReadonlyMap<string, readonly Grant[]> {
  const known = indexes.get(grants);
  if (known !== undefined) return known;
  const index = new Map<string, Grant[]>();
  for (const { to, role, models } of grants) {
    const list = index.get(to);
    if (list === undefined) index.set(to, [{ role, models }]);
    else list.push({ role, models });
  }
  indexes.set(grants, index);
  return index;
}
