import { happens } from '../chance.ts';
import { failing, healthy, requests } from '../requests.ts';
import { atHalf, growing } from '../steps.ts';
import type { World } from '../world.ts';

/** Each arm fails at its own steady rate, each request by itself. */
function steady(rates: { readonly candidate: number; readonly reference: number }) {
  const nature: World['nature'] = (random) =>
    requests(random, 200, () => ({
      live: (arm) => {
        const rate = arm === 'candidate' ? rates.candidate : rates.reference;
        return happens(random, rate) ? failing(random) : healthy(random);
      },
    }));
  return nature;
}

/** The rate at which the candidate is exactly as bad as the default margin allows. */
function atMargin(reference: number): number {
  return 2 * reference + 0.002;
}

export const ERRORS_STEADY: readonly World[] = [
  {
    name: 'errors-same',
    about: 'Both versions fail 1 % of the requests.',
    claim: 'fair',
    rollout: { steps: growing('errors') },
    requestsMax: 20_000,
    nature: steady({ candidate: 0.01, reference: 0.01 }),
  },
  ...[0, 0.001, 0.02].map(
    (reference): World => ({
      name: `errors-at-margin-${reference * 1000}-per-mille`,
      about: `Stable fails ${reference * 100} %, the candidate twice that and 0.2 %, over growing weights.`,
      claim: 'margin',
      rollout: { steps: growing('errors') },
      requestsMax: 20_000,
      nature: steady({ candidate: atMargin(reference), reference }),
    }),
  ),
  {
    name: 'errors-fivefold',
    about: 'Stable fails 0.5 %, the candidate 2.5 %.',
    claim: 'worse',
    rollout: { steps: atHalf('errors') },
    requestsMax: 20_000,
    nature: steady({ candidate: 0.025, reference: 0.005 }),
  },
];
