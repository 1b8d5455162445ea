/** Characters of an id under which a request may be labelled; UUIDs have 36. Longer ones are echoed, and cannot be labelled. */
export const SENT_ID_CHARACTERS_MAX = 256;

/** The id of a caller's message, where a label can name it. Any characters will do: it is hashed, never shown. */
export function sentIdOf(id: string | undefined): string | undefined {
  const isFit = id !== undefined && id !== '' && id.length <= SENT_ID_CHARACTERS_MAX;
  return isFit ? id : undefined;
}
