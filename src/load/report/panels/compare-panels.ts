import { quantileText, ratioText } from '../../../core/text.ts';
import { type Tone, WIDE_WIDTH } from '../../../plots/drawing.ts';
import { type Extent, forestDrawing } from '../../../plots/forest-plot.ts';
import { lineDrawing } from '../../../plots/line-plot.ts';
import type { Series } from '../../../plots/lines.ts';
import type { CompareResult, ConfidenceInterval, Ratio } from '../../nouns/result.ts';
import { roundsIn } from '../compare-rows.ts';
import type { KeyFigure, Panel } from '../panel.ts';
import { msAxis, splitPanel } from './load-panels.ts';

type Block = CompareResult['blocks'][number];

export function comparePanels(result: CompareResult): readonly Panel[] {
  const answered = result.blocks.filter(({ report }) => report.measured.ok > 0);
  const split = (['A', 'B'] as const).flatMap((arm) => {
    const block = middleBlock(answered.filter((one) => one.arm === arm));
    return block === undefined ? [] : [{ ...block, name: `${arm}, round ${block.round}` }];
  });
  return [
    ...(result.ratios.length === 0 ? [] : [forestPanel(result)]),
    roundsPanel(result, 'p50Ms'),
    roundsPanel(result, 'p99Ms'),
    ...(split.length === 0 ? [] : [splitOfBoth(split)]),
  ];
}

export function compareKeys({ ratios }: CompareResult): readonly KeyFigure[] {
  return ratios.map(({ figure, ratio, finding }) => ({
    name: `${figure}, B over A`,
    value: ratioText(ratio.estimate),
    unit: finding,
  }));
}

function forestPanel({ ratios, confidence }: CompareResult): Panel {
  return {
    wide: true,
    caption: `Squares: B over A with ${quantileText(confidence)} intervals over ${roundsIn(ratios)} interleaved rounds. Hollow circles below: the A/A control, which is noise alone. At 1 there is no difference.`,
    drawing: forestDrawing({
      title: 'B over A',
      unit: 'ratio',
      aaControlName: 'A/A control',
      width: WIDE_WIDTH,
      rows: ratios.map(({ figure, ratio, aaControl, finding }: Ratio) => ({
        name: `${figure}: ${finding}`,
        ...extentOf(ratio),
        aaControl: extentOf(aaControl),
      })),
    }),
  };
}

function extentOf({ estimate, lower, upper }: ConfidenceInterval): Extent {
  return { median: estimate, low: lower, high: upper };
}

const ARMS = [
  { arm: 'A', tone: 'one', shape: 'circle', look: 'solid' },
  { arm: 'A again', tone: 'quiet', shape: 'diamond', look: 'dotted' },
  { arm: 'B', tone: 'two', shape: 'square', look: 'solid' },
] as const satisfies readonly {
  arm: Block['arm'];
  tone: Tone;
  shape: Series['shape'];
  look: Series['look'];
}[];

function roundsPanel({ blocks, rounds }: CompareResult, key: 'p50Ms' | 'p99Ms'): Panel {
  const name = key === 'p50Ms' ? 'p50' : 'p99';
  const series = ARMS.map(
    ({ arm, ...look }): Series => ({
      name: arm,
      ...look,
      points: blocks
        .filter((block) => block.arm === arm)
        .map(({ round, report }) => {
          const { latency } = report.measured;
          return [round, latency.count === 0 ? Number.NaN : latency[key]] as const;
        })
        .sort(([a], [b]) => a - b),
    }),
  );
  const first = blocks.reduce((least, { round }) => Math.min(least, round), 1);
  return {
    caption:
      'One point for each block. Lines that rise and fall together show a machine that changes under both.',
    drawing: lineDrawing({
      title: `${name} by round`,
      description: `${name} in milliseconds of A, of A again and of B in ${rounds} rounds.`,
      x: {
        label: 'round',
        scale: 'linear',
        from: first,
        to: Math.max(first + 1, rounds + first - 1),
      },
      y: msAxis(
        'milliseconds',
        series.flatMap(({ points }) => points.map(([, ms]) => ms)),
      ),
      series: series.filter(({ points }) => points.length > 0),
    }),
  };
}

function splitOfBoth(split: readonly (Block & { readonly name: string })[]): Panel {
  const panel = splitPanel(...split);
  return {
    ...panel,
    caption: `${panel.caption} Of each arm, the block whose mean is in the middle.`,
  };
}

function middleBlock(blocks: readonly Block[]): Block | undefined {
  const sorted = [...blocks].sort(
    (a, b) => a.report.measured.latency.meanMs - b.report.measured.latency.meanMs,
  );
  return sorted[sorted.length >> 1];
}
