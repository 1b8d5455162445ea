import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { HandClock } from '../../src/core/clock.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { projectRoot } from '../support/project-root.ts';
import { alertRules } from './alert-rules.ts';
import { readPage, tableRows } from './page.ts';

type Panel = {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
};

const DASHBOARDS = ['serving', 'rollouts'] as const;

function text(file: string): string {
  return readFileSync(path.join(projectRoot, 'deploy', file), 'utf8');
}

function panelsOf(name: string): readonly Panel[] {
  return JSON.parse(text(`grafana/${name}.json`)).panels;
}

/** Words of PromQL that are no metrics. */
const WORDS = new Set(
  'sum by rate increase delta histogram_quantile absent or and unless offset label_values count_over_time min_over_time time'.split(
    ' ',
  ),
);

/** The metrics that an expression reads, and the labels that it names. */
function namesIn(expr: string): { readonly metrics: string[]; readonly labels: string[] } {
  const plain = expr.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, '');
  const groups = [...plain.matchAll(/\bby \(([^)]*)\)/g)].map(([, names = '']) => names);
  const matchers = [...plain.matchAll(/\{([^}]*)\}/g)].map(([, inside = '']) => inside);
  const rest = plain.replaceAll(/\bby \([^)]*\)/g, '').replaceAll(/\{[^}]*\}/g, '');
  const identifiers = (from: string) => from.match(/[A-Za-z_]\w*/g) ?? [];
  const metrics = identifiers(rest.replaceAll(/\b\d\w*/g, '')).filter((each) => !WORDS.has(each));
  return { metrics, labels: [...groups, ...matchers].flatMap(identifiers) };
}

const telemetry = createTelemetry({
  version: '0.0.0',
  clock: new HandClock(),
  inFlight: () => 0,
  heldBytes: () => ({}),
  rollouts: () => [],
  ledger: () => ({ kind: 'healthy', unrecorded: 0, records: 0, bytes: 0 }),
});

/** The series that there can be, and their labels as documented. */
async function known() {
  const { text: page } = await telemetry.page(undefined);
  const series = [...page.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', kind]) =>
    kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  );
  const labels = tableRows(readPage('docs/reference/metrics.md'), 'metric').flatMap(
    ([, , names = '']) => names.split(',').map((name) => name.trim()),
  );
  return { series: new Set(series), labels: new Set([...labels, 'le']) };
}

const EXPRESSIONS = [
  ...alertRules().map(({ alert, expr }) => ({ at: alert, expr })),
  ...DASHBOARDS.flatMap((name) =>
    panelsOf(name).flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ at: `${name}: ${title}`, expr })),
    ),
  ),
];

t.test('dashboards and alerts read only metrics and labels that there are', async (t) => {
  const { series, labels } = await known();
  t.ok(EXPRESSIONS.length > 40, `${EXPRESSIONS.length} expressions`);
  for (const { at, expr } of EXPRESSIONS) {
    const found = namesIn(expr);
    t.ok(found.metrics.length > 0, `${at} reads a metric`);
    t.same(
      found.metrics.filter((each) => !series.has(each)),
      [],
      at,
    );
    t.same(
      found.labels.filter((each) => !labels.has(each)),
      [],
      at,
    );
  }
});

t.test('nearly every metric of ours is on a dashboard or in an alert', async (t) => {
  const shown = new Set(EXPRESSIONS.flatMap(({ expr }) => namesIn(expr).metrics));
  const { text: page } = await telemetry.page(undefined);
  const ours = [...page.matchAll(/^# TYPE (understudy_\w+) /gm)].map(([, name = '']) => name);
  const missing = ours.filter(
    (name) => !['', '_bucket', '_sum', '_count'].some((end) => shown.has(name + end)),
  );
  t.ok(missing.length < ours.length / 5, missing.join());
});

t.test('each alert says what happens and what to do; each panel, what it shows', async (t) => {
  const alerts = alertRules();
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
  for (const { alert, labels, annotations } of alerts) {
    t.match(labels, { severity: /^(page|ticket)$/ }, alert);
    t.match(annotations, { summary: /\.$/, description: /\.$/ }, alert);
  }
  for (const name of DASHBOARDS) {
    const panels = panelsOf(name);
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    t.ok(panels.every(({ description }) => description.endsWith('.')));
  }
});

t.test('an alert on single events sees the first, with which a series begins', async (t) => {
  const single = alertRules().flatMap(({ alert, expr }) => {
    const [, series, range] = /^increase\((.+)\[(\w+)\]\) > 0/.exec(expr) ?? [];
    return series === undefined ? [] : [{ alert, expr, series, range }];
  });
  t.ok(single.length >= 3, `${single.length} rules`);
  for (const { alert, expr, series, range } of single)
    t.ok(
      expr.includes(
        `or (${series} unless count_over_time(${series}[${range}] offset ${range})) > 0`,
      ),
      alert,
    );
});

t.test('a metric or label that is not there is caught', async (t) => {
  t.same(
    namesIn('sum by (le, model) (rate(x_total{code=~"a|b"}[5m])) / 2 > 1e3 unless y offset 15m'),
    {
      metrics: ['x_total', 'y'],
      labels: ['le', 'model', 'code'],
    },
  );
});
