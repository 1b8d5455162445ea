import { countText, limitText, numberText, quantileText } from '../../../core/text.ts';
import { type Tone, WIDE_WIDTH } from '../../../plots/drawing.ts';
import { lineDrawing } from '../../../plots/line-plot.ts';
import type { Series } from '../../../plots/lines.ts';
import { roundOut } from '../../../plots/scale.ts';
import type { SloResult, SloTrial } from '../../nouns/result.ts';
import type { KeyFigure, Panel } from '../panel.ts';
import { shareText } from '../run-rows.ts';
import { provenTrial } from '../slo-rows.ts';
import { loadPanels } from './load-panels.ts';

export function sloPanels(result: SloResult): readonly Panel[] {
  const proof = provenTrial(result);
  const details = proof === undefined ? [] : loadPanels(proof);
  return [
    trialPanel(result),
    ...details.map((panel) => ({
      ...panel,
      drawing: { ...panel.drawing, title: `${panel.drawing.title}, at the proven rate` },
    })),
  ];
}

export function sloKeys(result: SloResult): readonly KeyFigure[] {
  const { perSecond, quantile, withinMs, confidence, trials } = result;
  const proof = provenTrial(result);
  return [
    { name: 'Proven rate', value: numberText(perSecond ?? Number.NaN), unit: 'a second' },
    { name: 'Claim', value: quantileText(quantile), unit: `within ${limitText(withinMs)}` },
    { name: 'Confidence', value: quantileText(confidence), unit: '' },
    {
      name: 'Late at that rate',
      value: proof === undefined ? '-' : shareText(proof.late, proof.requests),
      unit: proof === undefined ? '' : `of ${countText(proof.requests)}`,
    },
    { name: 'Trials', value: countText(trials.length), unit: '' },
  ];
}

const VERDICTS = [
  { verdict: 'holds', tone: 'three', shape: 'circle' },
  { verdict: 'fails', tone: 'bad', shape: 'triangle' },
  { verdict: 'undecided', tone: 'quiet', shape: 'diamond' },
  { verdict: 'invalid', tone: 'four', shape: 'square' },
] as const satisfies readonly {
  verdict: SloTrial['verdict'];
  tone: Tone;
  shape: Series['shape'];
}[];

function trialPanel({ trials, quantile, withinMs, perSecond }: SloResult): Panel {
  const allowed = 1 - quantile;
  const shares = trials.map(({ late, requests }) =>
    requests === 0 ? Number.NaN : late / requests,
  );
  const least = [allowed, ...shares.filter((share) => share > 0)].reduce(
    (a, b) => Math.min(a, b),
    1,
  );
  const floor = Math.max(1e-6, roundOut(Math.max(1e-9, least / 3), 'down'));
  const series = VERDICTS.map(
    ({ verdict, tone, shape }): Series => ({
      name: verdict,
      tone,
      shape,
      look: 'points',
      points: trials
        .map((trial, place) => ({ trial, share: shares[place] ?? Number.NaN }))
        .filter(({ trial }) => trial.verdict === verdict)
        .map(({ trial, share }) => [trial.perSecond, 100 * share] as const)
        .sort(([a], [b]) => a - b),
    }),
  );
  const proven =
    perSecond === undefined
      ? []
      : [{ axis: 'x' as const, at: perSecond, name: `proven ${numberText(perSecond)}/s` }];
  return {
    wide: true,
    caption: `Each point is a trial, by its verdict. Late: later than ${limitText(withinMs)}, refused or wrong. Trials without a late request lie on the lower edge.`,
    drawing: lineDrawing({
      title: 'Late requests over the rate',
      description: `The share of late requests at ${trials.length} tried rates, against the ${quantileText(allowed)} that may be late.`,
      x: {
        label: 'requests offered a second',
        scale: 'linear',
        from: 0,
        unit: '/s',
        to: 1.05 * trials.reduce((most, trial) => Math.max(most, trial.perSecond), 1),
      },
      y: {
        label: 'late, percent, log scale',
        scale: 'log',
        from: 100 * floor,
        to: 100,
        unit: ' %',
      },
      series: series.filter(({ points }) => points.length > 0),
      marks: [{ axis: 'y', at: 100 * allowed, name: `limit ${quantileText(allowed)}` }, ...proven],
      width: WIDE_WIDTH,
      height: 340,
    }),
  };
}
