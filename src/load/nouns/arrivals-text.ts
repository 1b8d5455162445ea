import { counted, durationText, numberText } from '../../core/text.ts';
import type { Rate, Spacing } from './arrivals.ts';
import type { KeptArrivals } from './kept-arrivals.ts';

/** Hexadecimal digits of a digest: enough to distinguish files. */
const DIGEST_SHOWN = 12;

/** The arrivals in a few words: `500 a second at random moments`. */
export function arrivalsText(arrivals: KeptArrivals): string {
  switch (arrivals.kind) {
    case 'open':
      return `${rateText(arrivals.rate)}, ${spacingText(arrivals.spacing)}`;
    case 'recorded':
      return recordingText(arrivals);
    case 'closed':
      return `a closed loop of ${counted(arrivals.concurrency, 'request')} at a time`;
  }
}

function recordingText({
  count,
  durationMs,
  sha256,
  file,
}: KeptArrivals & { kind: 'recorded' }): string {
  const source = file === undefined ? '' : ` of ${file}`;
  return `${counted(count, 'recorded arrival')}${source} in ${durationText(durationMs)} (SHA-256 of the times: ${sha256.slice(0, DIGEST_SHOWN)}...)`;
}

function rateText(rate: Rate): string {
  switch (rate.kind) {
    case 'steady':
      return `${numberText(rate.perSecond)} a second`;
    case 'ramp':
      return `from ${numberText(rate.fromPerSecond)} to ${numberText(rate.toPerSecond)} a second`;
    case 'steps':
      return `in steps of ${rate.steps.map(({ perSecond }) => numberText(perSecond)).join(', ')} a second`;
  }
}

function spacingText(spacing: Spacing): string {
  switch (spacing.kind) {
    case 'constant':
      return 'evenly spaced';
    case 'poisson':
      return 'at random moments (Poisson)';
    case 'bursty':
      return `in bursts (gamma, shape ${numberText(spacing.shape)})`;
  }
}
