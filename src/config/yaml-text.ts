import { Document, visit } from 'yaml';

/** Longer than any line: long texts are not folded. */
const UNFOLDED = { lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER };

/**
 * Plain data as YAML. A text for which `isQuoted` is true stands between double quotes, where escapes such as `\\u202e` mean what
 * they do in JSON.
 */
export function yamlText(data: unknown, isQuoted: (text: string) => boolean): string {
  const document = new Document(data, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && isQuoted(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString(UNFOLDED);
}
