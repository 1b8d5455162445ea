import * as z from 'zod';
import type { MirrorSetting } from '../core/route.ts';
import { expected, section } from './expected.ts';
import { percent, toBp, version } from './quantities.ts';

/** Versions and their percent of a model's traffic, all of which adds up to 100. */
export const splitSchema = z
  .record(z.string(), percent, { error: expected('versions and percent, such as { "1": 100 }') })
  .superRefine((split, context) => {
    const total = Object.values(split).reduce((sum, share) => sum + toBp(share), 0);
    if (total === 10_000) return;
    const sum = Object.values(split).join(' + ') || 'nothing';
    context.addIssue({
      code: 'custom',
      message: `expected shares that add to 100 percent, found ${sum} = ${total / 100}`,
    });
  });

/** A version to which a percentage of requests is copied, and the percentage of those that its twin runs too. */
export const mirrorSchema = section({
  version,
  percentage: percent,
  twin: percent.default(0),
}).transform(
  (mirror): MirrorSetting => ({
    version: mirror.version,
    sampleBp: toBp(mirror.percentage),
    twinBp: toBp(mirror.twin),
  }),
);
