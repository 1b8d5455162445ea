const VOID = new Set(['meta']);

/** What is wrong with the nesting or the text of a page or a picture; undefined: nothing is. */
export function imbalanceIn(text: string): string | undefined {
  const open: string[] = [];
  const body = text.replace(/^<!DOCTYPE html>/, '').replace(/<style>.*?<\/style>/gs, '');
  const tag = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g;
  for (const [, closes, name = '', , alone] of body.matchAll(tag)) {
    if (closes === '/') {
      const last = open.pop();
      if (last !== name) return `</${name}> closes <${last}>`;
    } else if (alone !== '/' && !VOID.has(name)) open.push(name);
  }
  if (open.length > 0) return `<${open.join('><')}> stays open`;
  const rest = body.replace(tag, '');
  if (/[<>]/.test(rest)) return `a stray bracket: ${/.{0,30}[<>].{0,30}/s.exec(rest)?.[0]}`;
  if (/&(?!(amp|lt|gt|quot|#39);)/.test(body)) return 'an ampersand that is not escaped';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot hold.
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]|\p{Cs}/u.test(body))
    return 'a character that XML cannot hold';
  return undefined;
}

/** RFC 4180, section 2, with lines that end in CR LF. */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (const [, quoted, plain, end] of text.matchAll(cell)) {
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
