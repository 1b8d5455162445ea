import { ANONYMOUS } from '../core/entrance.ts';
import { ServeError } from '../core/errors.ts';
import type { LabelAuthority, LabelSource } from '../core/label-source.ts';

/** @throws ServeError `forbidden` where the model takes no labels from there. */
export function checkAuthority({
  model,
  from,
  source: { plane, asker },
}: {
  readonly model: string;
  readonly from: LabelAuthority;
  readonly source: LabelSource;
}): void {
  if (from === 'any') return;
  if (from === 'admin') {
    if (plane === 'admin') return;
    const where = `POST /api/v1/models/${model}/labels on the admin port`;
    throw refused(`labels of ${model} at ${where} (labels.from: admin)`, 'one of a client');
  }
  const name = asker.caller?.name ?? ANONYMOUS;
  if (from === 'role:label') {
    // Where authentication is off everyone has every role, and no label has an author.
    if (name !== ANONYMOUS && asker.may('label', model)) return;
    throw refused(`a caller with the role label on ${model} (labels.from: role:label)`, name);
  }
  if (from.includes(name)) return;
  throw refused(`one of the callers that labels.from of ${model} names`, name);
}

/** Whom a label counts for: its caller, or else its address. */
export function labellerOf({ address, asker: { caller } }: LabelSource): string {
  return caller === undefined || caller.name === ANONYMOUS ? address : caller.name;
}

function refused(expected: string, found: string): ServeError {
  return new ServeError('forbidden', `feedback: expected ${expected}, found ${found}`);
}
