import { type Caller, checkRole, type Doors, type Grant } from '../../src/core/caller.ts';
import { createEntrance } from '../../src/core/entrance.ts';
import { ServeError } from '../../src/core/errors.ts';

/** Doors that know callers by the text of their key, and nothing else; anonymous callers may do nothing. */
export function doorsFor(callers: Readonly<Record<string, readonly Grant[]>>): Doors {
  const identify: Doors['identify'] = ({ authorization, apiKey }) => {
    const all = [...authorization.map((text) => text.replace(/^Bearer /, '')), ...apiKey];
    const [key, another] = all;
    if (key === undefined) return { name: 'anonymous', grants: [] };
    const grants = Object.hasOwn(callers, key) ? callers[key] : undefined;
    if (another !== undefined || grants === undefined) throw unauthenticated('one key');
    return { name: `key:${key}`, grants };
  };
  const check: Doors['check'] = (caller: Caller, role, model) => {
    if (caller.name === 'anonymous') throw unauthenticated('credentials');
    checkRole(caller, role, model);
  };
  return { identify, check };
}

/** The same, for a protocol; refusals are counted by their reason. */
export function anEntrance(callers: Parameters<typeof doorsFor>[0]) {
  const refused: string[] = [];
  const onRefused = (reason: string): void => void refused.push(reason);
  return { refused, entrance: createEntrance({ doors: doorsFor(callers), onRefused }) };
}

function unauthenticated(expected: string): ServeError {
  return new ServeError('unauthenticated', `expected ${expected} that is known, found none`);
}

/** One caller for each role, on the model of that name and on no other. */
export function oneForEachRole(model: string): Readonly<Record<string, readonly Grant[]>> {
  const on = (role: Grant['role']): readonly Grant[] => [{ role, models: [model] }];
  return {
    ...{ infer: on('infer'), label: on('label'), view: on('view'), operate: on('operate') },
    admin: [{ role: 'admin', models: '*' }],
    other: [{ role: 'operate', models: ['another'] }],
  };
}
