import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { Measured } from '../../../src/load/nouns/result.ts';
import { notesOf, warningsOf } from '../../../src/load/report/describe.ts';
import { pageOf } from '../../../src/load/report/page.ts';
import { headlineOf } from '../../../src/load/report/rows.ts';
import { escapeMarkup } from '../../../src/plots/markup.ts';
import {
  aLoad,
  aRecord,
  aSummary,
  aTimeline,
  recordOfEach,
  someConditions,
  someFigures,
} from './report-builders.ts';
import { imbalanceIn } from './report-parsers.ts';

t.test(
  'every warning, every note and every wrong answer of every load is in the page',
  async (t) => {
    for (const record of recordOfEach()) {
      const load = {
        warnings: ['It was <late>.'],
        notes: ['Held & back.'],
        wrongExamples: ['At 3: 4, not 5.'],
      };
      const spoiled = (one: Measured): Measured => ({ ...one, report: { ...one.report, ...load } });
      const result = JSON.parse(JSON.stringify(record.result), (_key, value: unknown) =>
        isMeasured(value) ? spoiled(value) : value,
      );
      const page = pageOf({ ...record, result });
      const told = [...warningsOf({ ...record, result }), ...notesOf({ ...record, result })];
      const count = told.filter((sentence) => sentence.includes('<late>')).length;
      t.equal(page.split('It was &lt;late&gt;.').length - 1, count, record.result.mode);
      t.ok(count >= 1, record.result.mode);
      t.match(page, 'Held &amp; back.');
      t.match(page, 'At 3: 4, not 5.');
    }
  },
);

function isMeasured(value: unknown): value is Measured {
  return typeof value === 'object' && value !== null && 'report' in value;
}

t.test('a page holds no script, loads nothing, and allows nothing but its own style', async (t) => {
  for (const record of recordOfEach()) {
    const page = pageOf(record);
    t.notMatch(
      page,
      /<script|javascript:|\son\w+=|\sstyle=|<link|<img|<iframe|@import|url\(|src=|href=/i,
    );
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    t.ok(page.includes(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;`));
  }
});

t.test(
  'a page is well-formed, says the conditions, and has its headline as its heading',
  async (t) => {
    for (const record of recordOfEach()) {
      const page = pageOf(record);
      t.equal(imbalanceIn(page), undefined, record.result.mode);
      t.notMatch(page, /NaN|Infinity|undefined/);
      const { command, machine, inputs } = record.conditions;
      for (const text of [command, machine.processor, machine.node, inputs, 'understudy 0.4.0'])
        t.ok(page.includes(escapeMarkup(text)), text);
      const heading = /<h1>(.*?)<\/h1>/.exec(page)?.[1]?.replaceAll('\u00A0', ' ');
      t.equal(heading, escapeMarkup(headlineOf(record)));
      const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
      t.equal(new Set(ids).size, ids.length, 'no id is used twice');
    }
  },
);

t.test('values of headers are secrets: a page has their names only', async (t) => {
  const targets = someConditions().targets.map((target) => ({
    ...target,
    headers: { authorization: 'Bearer 123' },
  }));
  const page = pageOf(aRecord({ mode: 'run', ...aLoad() }, { targets }));
  t.match(page, 'authorization (values not kept here)');
  t.notMatch(page, 'Bearer');
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '\0', '\uD800', ']', '-', '/', 'a') }),
  fc.constantFrom('</style><script>alert(1)</script>', '"><img src=x onerror=y>', ']]>', '<!--'),
);

t.test('no text of a record gets into a page as markup', async () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const measured = someFigures({ errors: { [text]: 3 } });
      const targets = someConditions().targets.map((target) => ({
        ...target,
        model: text,
        server: text,
        versions: [text],
        headers: { [text]: text },
      }));
      const load = aLoad({ measured, timeline: [], warnings: [text], notes: [text] });
      const conditions = { targets, command: text, inputs: text, takenAt: text };
      const page = pageOf(aRecord({ mode: 'run', ...load }, conditions));
      return imbalanceIn(page) === undefined && !/<(script|img)/i.test(page);
    }),
    { numRuns: 60 },
  );
});

t.test('a page shows loads of any size: huge, tiny, one interval, very long names', async (t) => {
  for (const p50Ms of [1e-3, 1e9]) {
    const measured = someFigures({
      latency: aSummary(p50Ms, 1000),
      errors: { ['x'.repeat(500)]: 1 },
    });
    const page = pageOf(
      aRecord({
        mode: 'run',
        ...aLoad({ measured, timeline: aTimeline(measured, { count: 1 }) }),
      }),
    );
    t.equal(imbalanceIn(page), undefined);
    t.notMatch(page, /NaN|Infinity|undefined/);
  }
});
