/** Of what callers send, in characters. */
const TEXT_MAX = 256;

/**
 * The beginning of a caller's text, as a copy: a part that was cut out of a header or a path would keep the whole of it in memory for
 * as long as its span waits.
 */
export function shortened(text: string): string {
  return Buffer.from(text.slice(0, TEXT_MAX)).toString();
}
