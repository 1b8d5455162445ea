export type PbtxtToken = { readonly text: string; readonly at: number };

const TOKEN = /\s+|#.*|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[\w.+-]+|[\s\S]/y;

/** Words, strings and signs of the text format, with what lies between them, to the last character; of any text. */
export function* tokensOf(text: string): Generator<PbtxtToken> {
  const token = new RegExp(TOKEN);
  for (let at = 0; at < text.length; at = token.lastIndex) {
    yield { text: token.exec(text)?.[0] ?? '', at };
  }
}
