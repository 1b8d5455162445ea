import type { HeaderOf } from './routing-key.ts';

/** The header of HTTP and the metadata of gRPC by which a caller names its span. */
const TRACEPARENT = 'traceparent';

/** Characters of a value that is looked at. Version 00 has 55; later versions may put more behind. */
const CHARS_MAX = 256;

/** Version, trace, span and flags. Values of a header that came twice are joined by a comma and a space, and do not match. */
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?$/;

const KNOWN_VERSION = '00';
const NO_VERSION = 'ff';
const SAMPLED = 1;

/**
 * The caller's span, as version 00 of W3C Trace Context writes it; undefined where there is none, or none that is valid: a trace
 * that cannot be continued is no reason to refuse a request. Of later versions what version 00 knows is kept.
 */
export function traceparentOf(header: HeaderOf): string | undefined {
  const text = header(TRACEPARENT);
  if (text === undefined || text.length > CHARS_MAX) return undefined;
  const [, version, trace, span, flags, more] = FORM.exec(text) ?? [];
  if (version === undefined || trace === undefined || span === undefined) return undefined;
  if (version === NO_VERSION || isZero(trace) || isZero(span)) return undefined;
  if (version === KNOWN_VERSION) return more === undefined ? text : undefined;
  const known = Number.parseInt(flags ?? '', 16) & SAMPLED;
  return `${KNOWN_VERSION}-${trace}-${span}-0${known}`;
}

function isZero(hex: string): boolean {
  return /^0+$/.test(hex);
}
