/**
 * As much of a text as a live view can show at one time, from its start: what does not fit scrolls away, and a view that is
 * drawn again cannot take it back. `rows` are those of the terminal.
 */
export function fitted(text: string, rows: number): string {
  const lines = text.split('\n');
  // The cursor stands below the text.
  const room = Math.max(1, rows - 1);
  if (lines.length <= room) return text;
  const shown = lines.slice(0, Math.max(1, room - 1));
  const more = lines.length - shown.length;
  return room === 1 ? shown.join('\n') : [...shown, `... ${more} more lines`].join('\n');
}
