// Colour codes take no room on the screen.
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Characters that terminals draw two columns wide. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const COMBINING = /^\p{M}$/u;

/** Columns that a text takes on the screen. */
export function widthOf(text: string): number {
  const shown = text.replace(COLOUR, '');
  // Most texts have none of the others.
  if (/^[\x20-\x7e]*$/.test(shown)) return shown.length;
  return [...shown].reduce((width, character) => width + columnsOf(character), 0);
}

function columnsOf(character: string): number {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
