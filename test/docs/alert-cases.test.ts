import { execFile } from 'node:child_process';
import path from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { projectRoot } from '../support/project-root.ts';
import { alertRules } from './alert-rules.ts';
import { readPage } from './page.ts';
import { promtoolProgram } from './promtool.ts';

type Case = {
  readonly name: string;
  readonly promql_expr_test: readonly {
    readonly expr: string;
    readonly exp_samples: readonly { readonly labels: string }[];
  }[];
};

const FOLDER = path.join(projectRoot, 'deploy/prometheus');
const CASES: readonly Case[] = parse(readPage('deploy/prometheus/alerts-test.yaml')).tests;

t.test('each alert has a case in which it fires, and one in which it does not yet', async (t) => {
  const asked = CASES.flatMap((each) => each.promql_expr_test);
  for (const { alert, labels } of alertRules()) {
    const own = asked.filter(({ expr }) => expr.includes(`alertname="${alert}"`));
    const firing = own.flatMap(({ exp_samples }) => exp_samples);
    t.ok(firing.length > 0, `deploy/prometheus/alerts-test.yaml: a case in which ${alert} fires`);
    t.ok(
      own.some(({ exp_samples }) => exp_samples.length === 0),
      `deploy/prometheus/alerts-test.yaml: a case in which ${alert} does not fire`,
    );
    for (const sample of firing)
      t.ok(sample.labels.includes(`severity="${labels['severity']}"`), `${alert}: its severity`);
  }
  t.ok(
    asked.some(({ expr }) => expr === 'ALERTS'),
    'a case in which none fires',
  );
});

const promtool = promtoolProgram();
const skip = promtool === undefined ? 'needs promtool, of the package prometheus' : false;

t.test('Prometheus takes the rules, and they decide every case as written', { skip }, async (t) => {
  const check = await run('check', 'rules', 'alerts.yaml');
  t.equal(check.code, 0, check.output);
  const test = await run('test', 'rules', 'alerts-test.yaml');
  t.equal(test.code, 0, test.output);
});

function run(...args: readonly string[]) {
  return new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
    const child = execFile(promtool ?? '', args, { cwd: FOLDER }, (_, out, errors) =>
      resolve({ code: child.exitCode ?? -1, output: out + errors }),
    );
  });
}
