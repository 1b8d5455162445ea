/** Keys and values, such as a section of a file. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Two layers of a section as one: `above` wins, key by key, however deep; lists and plain values are taken whole.
 */
export function merge(beneath: unknown, above: unknown): unknown {
  if (above === undefined) return beneath;
  if (!isRecord(beneath) || !isRecord(above)) return above;
  const names = new Set([...Object.keys(beneath), ...Object.keys(above)]);
  return Object.fromEntries(
    [...names].map((name) => [name, merge(own(beneath, name), own(above, name))]),
  );
}

function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
