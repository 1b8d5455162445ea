/** Spans as version 00 of W3C Trace Context writes them: `00-<trace>-<span>-<flags>`, 55 characters. */

/** The ids of a span. */
export type SpanIds = { readonly traceId: string; readonly spanId: string };

/** The ids in a valid `traceparent`. */
export function idsOf(traceparent: string): SpanIds {
  return { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) };
}

/** Whether the span is recorded. Reads one character of a valid `traceparent`. */
export function isRecorded(traceparent: string): boolean {
  const last = traceparent.charCodeAt(54);
  // Digits are as odd as their codes; the codes of a to f are off by one.
  return ((last <= NINE ? last : last + 1) & 1) === 1;
}

const NINE = 57;

/** The same span, not recorded. */
export function unrecorded(traceparent: string): string {
  return isRecorded(traceparent) ? `${traceparent.slice(0, 53)}00` : traceparent;
}
