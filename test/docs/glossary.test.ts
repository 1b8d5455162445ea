import { readdirSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectRoot } from '../support/project-root.ts';
import { readPage, sectionsOf, tableRows } from './page.ts';

const GLOSSARY = 'docs/glossary.md';
const FOLDERS = ['docs/guides', 'docs/operations', 'docs/reference'];
const PAGES = ['README.md', 'ARCHITECTURE.md', ...FOLDERS.flatMap(pagesIn)];

/** The terms of the glossary, in its order, each with its meaning. */
const entries = sectionsOf(readPage(GLOSSARY)).flatMap(({ text }) =>
  tableRows(text, 'term').map(([cell = '', meaning = '']) => ({
    term: /^\*\*(.+)\*\*$/.exec(cell)?.[1],
    meaning,
  })),
);
const terms = entries.map(({ term }) => term ?? '');

t.test('the glossary defines each term once, in one or two sentences', async (t) => {
  t.ok(terms.length > 30, `${terms.length} terms`);
  t.same(
    entries.filter(({ term, meaning }) => term === undefined || meaning === ''),
    [],
  );
  t.same(
    terms.filter((term, index) => terms.indexOf(term) !== index),
    [],
  );
  t.same(
    entries.filter(({ meaning }) => meaning.length > 240),
    [],
  );
});

t.test('the other pages use every term of the glossary', async (t) => {
  const text = PAGES.map((page) => readPage(page))
    .join('\n')
    .replaceAll(/\s+/g, ' ');
  t.same(
    terms.filter((term) => !new RegExp(`\\b${term}s?\\b`, 'i').test(text)),
    [],
  );
});

t.test('a term in bold on another page is in the glossary', async (t) => {
  for (const page of PAGES) {
    const unknown = boldTerms(readPage(page)).filter((term) => !terms.includes(term));
    t.same(unknown, [], page);
  }
});

t.test('the pages use none of the words that the glossary replaced', async (t) => {
  const retired = /\b(?:nobody|whoever|anew|amiss|told apart|shadow lanes?|desk)\b/gi;
  for (const page of PAGES) t.same(readPage(page).match(retired) ?? [], [], page);
});

t.test('README and ARCHITECTURE link to the glossary', async (t) => {
  for (const page of ['README.md', 'ARCHITECTURE.md'])
    t.ok(readPage(page).includes(`](${GLOSSARY})`), page);
});

/** Bold that begins with a small letter introduces a term; sentences and headings begin with a capital, code with a backtick. */
function boldTerms(page: string): readonly string[] {
  return [...page.matchAll(/\*\*([a-z][^*]*)\*\*/g)].map(([, term = '']) =>
    term.replaceAll('\n', ' '),
  );
}

function pagesIn(folder: string): readonly string[] {
  return readdirSync(path.join(projectRoot, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}
