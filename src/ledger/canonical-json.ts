/**
 * JSON with one spelling: keys in order of their UTF-16 code units, no spaces, numbers as ECMAScript writes them (RFC 8785).
 * As in JSON.stringify, properties that are undefined are left out, and numbers that JSON cannot carry become null, so a
 * value and its copy read back from the ledger have the same spelling.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const record = value as Readonly<Record<string, unknown>>;
  const members = Object.keys(record)
    .filter((name) => record[name] !== undefined)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(record[name])}`);
  return `{${members.join(',')}}`;
}
