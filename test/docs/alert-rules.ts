import { parse } from 'yaml';
import { readPage } from './page.ts';

/** A rule of `deploy/prometheus/alerts.yaml`. */
export type AlertRule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

export function alertRules(): readonly AlertRule[] {
  return parse(readPage('deploy/prometheus/alerts.yaml')).groups.flatMap(
    ({ rules }: { readonly rules: readonly AlertRule[] }) => rules,
  );
}
