/** The page with `text` between `<!-- name -->` and `<!-- /name -->`. Throws an Error where they are not there. */
export function betweenMarks(page: string, name: string, text: string): string {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const start = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (start < 0 || end < start) throw new Error(`expected ${opening} and ${closing} in the page`);
  return `${page.slice(0, start + opening.length)}\n${text}\n${page.slice(end)}`;
}
