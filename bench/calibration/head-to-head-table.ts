import { barPlot } from '../../src/plots/bar-plot.ts';
import { CONTENDERS, type HeadToHeadRow, wrongShare } from './head-to-head.ts';

const NAMES = CONTENDERS.map(({ name }) => name);

export const GATES_HEADING: readonly string[] = ['world', 'wrong decision', 'runs', ...NAMES];

/** `12 % (31)`: wrong decisions, and callers of the candidate that got no right answer before the end, mean of a run. Runs: of the others, and of ours where that is another number. */
export function gatesRowOf({ world, claim, tallies }: HeadToHeadRow): readonly string[] {
  const cells = NAMES.map((name) => {
    const tally = tallies[name];
    if (tally === undefined) return '';
    return `${shareText(wrongShare(claim, tally), tally.runs)} (${Math.round(tally.harmed / tally.runs)})`;
  });
  const runs = [...new Set(Object.values(tallies).map((tally) => tally.runs))].join(' and ');
  return [world, claim === 'fair' ? 'rolled back' : 'promoted', runs, ...cells];
}

/** So few runs are counted, not given in percent, and have no place in a picture. */
const RUNS_FEW = 20;

function shareText(share: number, runs: number): string {
  if (runs < RUNS_FEW) return `${Math.round(share * runs)} of ${runs}`;
  return `${Math.round(1000 * share) / 10} %`;
}

/** The table as Markdown, and what each world is. */
export function gatesReportOf(rows: readonly HeadToHeadRow[], folder: string): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = `|${GATES_HEADING.map((_, at) => (at < 2 ? ' --- ' : ' ---: ')).join('|')}|`;
  const pictures = gatePictures(rows).map(({ file, title }) => `![${title}](${folder}/${file})`);
  return ['', line(GATES_HEADING), rule]
    .concat(
      rows.map((row) => line(gatesRowOf(row))),
      '',
      rows.map(({ world, about }) => `- ${world}: ${about}`),
      '',
      pictures,
      '',
    )
    .join('\n');
}

/** What the rules look like beside each other, over all worlds. */
export function gatePictures(
  rows: readonly HeadToHeadRow[],
): readonly { readonly file: string; readonly title: string; readonly svg: string }[] {
  const drawn = NAMES.filter((name) =>
    rows.every(({ tallies }) => (tallies[name]?.runs ?? 0) >= RUNS_FEW),
  );
  if (rows.length === 0 || drawn.length === 0) return [];
  const title = 'Wrong decisions over all worlds, percent';
  const fair = rows.filter(({ claim }) => claim === 'fair');
  const worse = rows.filter(({ claim }) => claim !== 'fair');
  const mean = (some: readonly HeadToHeadRow[], name: string): number =>
    some.reduce((sum, { claim, tallies }) => {
      const tally = tallies[name];
      return sum + (tally === undefined ? 0 : wrongShare(claim, tally));
    }, 0) / Math.max(1, some.length);
  const svg = barPlot({
    title,
    description:
      'Mean share of false rollbacks in fair worlds and of false promotions in others, of rules with 20 runs or more.',
    parts: [
      { name: 'a fair candidate rolled back', tone: 'one' },
      { name: 'a worse candidate promoted', tone: 'two' },
    ],
    rows: drawn.map((name) => ({
      name,
      parts: [fair, worse].map((some) => Math.round(1000 * mean(some, name)) / 10),
    })),
    unit: 'percent, added up',
    width: 900,
  });
  return [{ file: 'gates.svg', title, svg }];
}
