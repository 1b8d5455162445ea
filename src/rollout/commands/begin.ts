import type { Clock } from '../../core/clock.ts';
import { NO_EVIDENCE } from '../../core/evidence.ts';
import type { Rollout, RolloutSpec } from '../../core/rollout.ts';
import { weightsOfTrial } from '../history/attempts.ts';
import type { Logbook } from '../history/logbook.ts';
import type { RolloutDeployer } from '../reconcile/deployer.ts';

export type BeginOptions = {
  readonly clock: Clock;
  readonly digestOf: (model: string, version: string) => string | undefined;
  /** The digest of what a version computes; undefined: there is no such version. */
  readonly weightsOf: (model: string, version: string) => string | undefined;
  readonly deployer: Pick<RolloutDeployer, 'open'>;
  readonly book: Logbook;
};

/**
 * Begins a rollout, which is to be loaded: on record, then for the evidence that it gathers. A process that dies before this record
 * leaves an accepted command and no rollout: the caller got no answer.
 */
export async function begin(id: string, spec: RolloutSpec, options: BeginOptions): Promise<void> {
  const { clock, digestOf, weightsOf, deployer, book } = options;
  const startedMs = clock.wallMs();
  const rollout: Rollout = {
    id,
    spec,
    phase: { kind: 'loading', sinceMs: startedMs },
    startedMs,
    candidateRequestsAtStep: 0,
  };
  const digests = {
    stable: digestOf(spec.model, spec.stable) ?? '',
    candidate: digestOf(spec.model, spec.candidate) ?? '',
  };
  const weights = weightsOfTrial(spec, weightsOf);
  const body = { kind: 'rolloutStarted', rollout, digests } as const;
  await book.append(weights === undefined ? body : { ...body, weights });
  deployer.open(rollout, NO_EVIDENCE);
}
