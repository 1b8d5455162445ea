import type { LoadPlan } from '../nouns/plan.ts';
import type { Pulse } from './pulse.ts';
import type { LoadShare } from './share.ts';

/** The plan with a process's own concurrency and `inFlightMax`; arrivals `at`, `at + of`, ... are its own. */
export type GeneratorPart = {
  readonly plan: LoadPlan;
  readonly of: number;
  readonly at: number;
  /** Whether pulses are to be sent. */
  readonly isWatched: boolean;
};

/** What the generator sends to its processes. */
export type GeneratorOrder =
  | { readonly kind: 'load'; readonly part: GeneratorPart }
  /** A time of the wall clock, the same for all processes: what processes can agree on. */
  | { readonly kind: 'begin'; readonly wallMs: number }
  | { readonly kind: 'end' };

/** What they send back. */
export type GeneratorNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'pulse'; readonly pulse: Pulse }
  | { readonly kind: 'done'; readonly share: LoadShare }
  | { readonly kind: 'failed'; readonly message: string };
