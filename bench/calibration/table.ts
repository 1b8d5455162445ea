import type { KeptWorld } from './kept-worlds.ts';
import { beyond, shareMax, wrongDecisions } from './tally.ts';

/** Whether a world's wrong decisions are within the budget, and where they are not whether that is known. */
export type Standing = 'within' | 'beyond' | 'known' | 'published';

export function standingOf({ claim, tally, budget, knownBeyond }: KeptWorld): Standing {
  if (claim === 'liar') return 'published';
  if (beyond(claim, tally, budget).length === 0) return 'within';
  return knownBeyond === undefined ? 'beyond' : 'known';
}

/** The last line of a calibration. */
export function countText(worlds: readonly KeptWorld[]): string {
  const count = (standing: Standing): number =>
    worlds.filter((world) => standingOf(world) === standing).length;
  const known = count('known') === 0 ? '' : `, ${count('known')} known to be beyond`;
  return `${count('within')} worlds within budget, ${count('beyond')} beyond${known}, ${count('published')} published without a bound`;
}

export const HEADING = [
  'world',
  'claim',
  'runs',
  'rolled back',
  'promoted',
  'undecided',
  'requests',
  'harmed',
  'budget',
] as const;

/** A row of the table, one cell for each column of the heading. */
export function rowOf(world: KeptWorld): readonly string[] {
  const { name, claim, tally, budget } = world;
  const wrong = wrongDecisions(claim, budget);
  const share = (decision: 'rolledBack' | 'promoted'): string => {
    const text = percentText(tally[decision] / tally.runs);
    const bound = wrong.find((each) => each.decision === decision);
    return bound === undefined
      ? text
      : `${text} of ${percentText(shareMax(bound.nominal, tally.runs))}`;
  };
  return [
    name,
    claim,
    tally.runs.toLocaleString('en-US'),
    share('rolledBack'),
    share('promoted'),
    percentText((tally.undecided + tally.paused) / tally.runs),
    Math.round(tally.requests / tally.runs).toLocaleString('en-US'),
    (tally.harmed / tally.runs).toFixed(1),
    standingOf(world),
  ];
}

function percentText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** The table as Markdown, what each world is, and why some are beyond. */
export function reportOf(worlds: readonly KeptWorld[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = `|${HEADING.map((_, at) => (at < 2 ? ' --- ' : ' ---: ')).join('|')}|`;
  const known = worlds.filter((world) => standingOf(world) === 'known');
  return [
    '',
    `${countText(worlds)}.`,
    '',
    line(HEADING),
    rule,
    ...worlds.map((world) => line(rowOf(world))),
    '',
    ...(known.length === 0 ? [] : ['Known to be beyond:', '']),
    ...known.map(({ name, knownBeyond }) => `- \`${name}\`: ${knownBeyond}`),
    ...(known.length === 0 ? [] : ['']),
    'The worlds:',
    '',
    ...worlds.map(({ name, about }) => `- \`${name}\`: ${about}`),
    '',
  ].join('\n');
}
