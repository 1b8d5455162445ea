import { ServeError } from '../core/errors.ts';

export type SharedMemoryKind = 'system' | 'cuda';

/**
 * The refusal of a region. No region is ever registered, so that the status of all is empty, and to take one away succeeds: it is
 * not there.
 */
export function registrationRefusal(
  kind: SharedMemoryKind,
  { region, key }: { readonly region: string; readonly key?: string },
): ServeError {
  const failed =
    kind === 'system'
      ? `Unable to open shared memory region: '${key ?? region}'`
      : `failed to register shared memory region '${region}': invalid args`;
  return new ServeError(
    'unsupported',
    `${failed}: shared memory is not served, expected tensors in the request`,
  );
}
