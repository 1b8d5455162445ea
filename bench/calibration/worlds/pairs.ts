import type { Answer } from '../answer.ts';
import { happens } from '../chance.ts';
import { requests } from '../requests.ts';
import { inShadow, inShadowRejecting } from '../steps.ts';
import type { World, WorldRequest } from '../world.ts';

/** Shares of the pairs in which something happens to one of the two, in the shadow host. */
type Rates = {
  readonly candidateDiffers?: number;
  readonly twinDiffers?: number;
  readonly candidateFails?: number;
  readonly twinFails?: number;
  /** The candidate takes twice as long as the twin. */
  readonly slower?: number;
};

/** Every request is a unit of its own, and so is what happens to it. */
export function pairs(rates: Rates): World['nature'] {
  const { candidateDiffers = 0, twinDiffers = 0, candidateFails = 0, twinFails = 0 } = rates;
  return (random) => {
    const one = (differs: number, fails: number, tookMs: number): Answer => ({
      tookMs,
      class: happens(random, differs) ? 1 : 0,
      failure: happens(random, fails) ? 'runtime_failed' : undefined,
    });
    const shadow: WorldRequest['shadow'] = () => ({
      candidate: one(candidateDiffers, candidateFails, happens(random, rates.slower ?? 0) ? 8 : 4),
      twin: one(twinDiffers, twinFails, 4),
    });
    return requests(random, 50, () => ({ shadow }));
  };
}

/** Each request of a world comes so many times in a row, with the same bytes and the same answers. */
export function repeated(nature: World['nature'], times: number): World['nature'] {
  return (random) => {
    const inner = nature(random);
    let [left, content] = [0, 0];
    let last: WorldRequest | undefined;
    return {
      next: (nowMs) => {
        if (last !== undefined && left > 0) {
          left -= 1;
          return { ...last, gapMs: 1 };
        }
        const request = inner.next(nowMs);
        const shadowed = request.shadow({ tookMs: 4 });
        left = times - 1;
        content += 1;
        last = { ...request, content: `${content}`, shadow: () => shadowed };
        return last;
      },
    };
  };
}

export const DISAGREEMENT_AT_MARGIN: World = {
  name: 'disagreement-at-margin',
  about:
    'The candidate differs in 6 % of the pairs and stable from itself in 5 %: one point apart.',
  claim: 'margin',
  rollout: { steps: inShadow('disagreement') },
  requestsMax: 8_000,
  nature: pairs({ candidateDiffers: 0.06, twinDiffers: 0.05 }),
};

export const DISAGREEMENT_SAME_NOISE: World = {
  name: 'disagreement-same-noise',
  about: 'Candidate and stable differ from the live answer in 20 % of the pairs each.',
  claim: 'fair',
  rollout: { steps: inShadow('disagreement') },
  requestsMax: 8_000,
  nature: pairs({ candidateDiffers: 0.2, twinDiffers: 0.2 }),
};

export const PAIRED_ERRORS_AT_MARGIN: World = {
  name: 'paired-errors-at-margin',
  about: 'The candidate fails 0.2 % of the pairs, stable none.',
  claim: 'margin',
  rollout: { steps: inShadow('pairedErrors') },
  requestsMax: 12_000,
  nature: pairs({ candidateFails: 0.002 }),
};

/** Either version fails on the same requests, independently of the other. */
function failing(candidate: number, stable: number): World['nature'] {
  return (random) => {
    const one = (rate: number): Answer => ({
      tookMs: 4,
      failure: happens(random, rate) ? 'runtime_failed' : undefined,
    });
    return requests(random, 50, () => ({
      live: () => one(stable),
      shadow: () => ({ candidate: one(candidate), twin: one(stable) }),
    }));
  };
}

export const PAIRED_ERRORS_WITH_STABLE: readonly World[] = [
  {
    ...PAIRED_ERRORS_AT_MARGIN,
    name: 'paired-errors-at-margin-5-per-mille',
    about: 'Stable fails 0.5 % of the pairs, the candidate twice that and 0.2 %.',
    nature: failing(0.012, 0.005),
  },
  {
    ...PAIRED_ERRORS_AT_MARGIN,
    name: 'paired-errors-same',
    about: 'Both versions fail 0.5 % of the pairs, independently.',
    claim: 'fair',
    nature: failing(0.005, 0.005),
  },
];

export const NAN_IN_SHADOW: World = {
  name: 'nan-in-shadow',
  about: 'The candidate fails 0.4 % of the pairs, stable none.',
  claim: 'worse',
  rollout: { steps: inShadow('pairedErrors') },
  requestsMax: 30_000,
  nature: pairs({ candidateFails: 0.004 }),
};

export const PAIRS_AT_ALL_MARGINS: World = {
  name: 'pairs-at-all-margins',
  about: 'Disagreement, paired errors and paired latency are at their margins all at once.',
  claim: 'margin',
  rollout: { steps: inShadowRejecting(['disagreement', 'pairedErrors'], 'pairedLatency') },
  requestsMax: 8_000,
  nature: pairs({
    candidateDiffers: 0.06,
    twinDiffers: 0.05,
    candidateFails: 0.002,
    slower: 0.5,
  }),
};

export const PAIRED_LATENCY_HALF: World = {
  name: 'paired-latency-half',
  about: 'The candidate is twice as slow in exactly half of the pairs.',
  claim: 'fair',
  rollout: { steps: inShadowRejecting(['disagreement'], 'pairedLatency') },
  requestsMax: 8_000,
  // Some noise, so that the trial is not over before latency has been looked at for long.
  nature: pairs({ candidateDiffers: 0.06, twinDiffers: 0.05, slower: 0.5 }),
};

export const REPEATED_PAIRS_AT_MARGIN: readonly World[] = [
  {
    ...DISAGREEMENT_AT_MARGIN,
    name: 'repeated-disagreement-at-margin',
    about: 'Disagreement at the margin, each request sent five times in a row with the same bytes.',
    nature: repeated(DISAGREEMENT_AT_MARGIN.nature, 5),
    requestsMax: 12_000,
  },
  {
    ...PAIRED_ERRORS_AT_MARGIN,
    name: 'repeated-errors-at-margin',
    about:
      'Paired errors at the margin, each request sent five times in a row with the same bytes.',
    nature: repeated(PAIRED_ERRORS_AT_MARGIN.nature, 5),
    requestsMax: 12_000,
  },
];
