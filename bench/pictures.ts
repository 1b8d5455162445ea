import { forestPlot } from '../src/plots/forest-plot.ts';
import { linePlot } from '../src/plots/line-plot.ts';
import type { SuiteResult } from './figure.ts';

/** A picture of a suite's result, as an SVG file. */
export type Picture = { readonly file: string; readonly title: string; readonly svg: string };

/**
 * What a suite's result looks like: its ratios with their quartiles, goals and A/A controls, where it has any, and its curves.
 */
export function picturesOf({ suite, figures, curves = [] }: SuiteResult): readonly Picture[] {
  const rows = figures
    .filter(({ unit }) => unit === 'ratio')
    .map(({ name, spread, goal, aaControl }) => ({
      name,
      ...spread,
      ...(goal === undefined ? {} : { goal }),
      ...(aaControl === undefined ? {} : { aaControl }),
    }));
  const title = `${suite}: ratios, with quartiles over the rounds`;
  const ratios =
    rows.length === 0
      ? []
      : [
          {
            file: `${suite}.svg`,
            title,
            svg: forestPlot({
              title,
              rows,
              unit: 'ratio',
              aaControlName: 'A/A control',
              width: 900,
            }),
          },
        ];
  const lines = curves.map(({ name, plot }) => ({
    file: `${suite}-${name}.svg`,
    title: plot.title,
    svg: linePlot({ ...plot, width: 900 }),
  }));
  return [...ratios, ...lines];
}
