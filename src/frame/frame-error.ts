/** A frame that contradicts the format. `message` says what was expected and what was found. */
export class FrameError extends Error {
  constructor(message: string) {
    super(`malformed frame: ${message}`);
    this.name = 'FrameError';
  }
}

const EXCERPT_CHARS = 40;
/** What JSON leaves as it is. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

/** The beginning of damaged text, quoted for a message: nothing in it ends the line or moves a terminal's cursor. */
export function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, EXCERPT_CHARS)).replaceAll(CONTROLS, '?');
}
