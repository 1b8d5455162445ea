import * as z from 'zod';
import { EACH, type QuotaRule } from '../core/quota.ts';
import { A_CALLER, callerName } from './caller-name.ts';
import { expected, section } from './expected.ts';
import { whole } from './quantities.ts';

/** More rules than this are a mistake: each new pair of caller and model looks through all. */
const RULES_MAX = 1_000;

const PER_SECOND_MAX = 1_000_000;

const caller = z.union([z.literal(EACH), callerName], {
  error: expected(`${A_CALLER}, or "*" for each`),
});

const aModel = expected('the name of a model, or "*" for each');

const model = z.string({ error: aModel }).regex(/^[^/\\._][^/\\]*$/, { error: aModel });

const aRate = expected(`a number of requests a second, above 0 and up to ${PER_SECOND_MAX}`);

const perSecond = z
  .number({ error: aRate })
  .gt(0, { error: aRate })
  .max(PER_SECOND_MAX, { error: aRate });

const ruleSchema = section({
  caller: caller.default(EACH),
  model: model.default(EACH),
  perSecond: perSecond.optional(),
  burst: whole({ min: 1, max: PER_SECOND_MAX }, 'requests').optional(),
  concurrent: whole({ min: 1, max: PER_SECOND_MAX }, 'requests').optional(),
}).transform((rule, context): QuotaRule => {
  const { perSecond: rate, concurrent } = rule;
  if (rate === undefined && concurrent === undefined) {
    context.addIssue({
      code: 'custom',
      message: 'expected perSecond or concurrent, found neither',
    });
  }
  if (rate === undefined && rule.burst !== undefined) {
    const message = `expected perSecond beside burst, found burst: ${rule.burst} alone`;
    context.addIssue({ code: 'custom', path: ['burst'], message });
  }
  return {
    caller: rule.caller,
    model: rule.model,
    perSecond: rate,
    burst: rule.burst ?? Math.max(1, Math.ceil(rate ?? 1)),
    concurrent,
  };
});

/** The schema of `quotas`: one rule counts for each pair of caller and model, so no two may be about the same. */
export const quotasSchema = z
  .array(ruleSchema, { error: expected('a list of quotas, such as [{ perSecond: 100 }]') })
  .max(RULES_MAX, { error: expected(`at most ${RULES_MAX} quotas`) })
  .superRefine((rules, context) => {
    const seen = new Map<string, number>();
    rules.forEach((rule, index) => {
      const pair = `${rule.caller}\0${rule.model}`;
      const first = seen.get(pair);
      if (first === undefined) seen.set(pair, index);
      else {
        const message = `expected one quota for caller "${rule.caller}" and model "${rule.model}", found another in quotas[${first}]`;
        context.addIssue({ code: 'custom', path: [index], message });
      }
    });
  });
