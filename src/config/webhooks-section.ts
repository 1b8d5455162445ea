import { resolve } from 'node:path';
import * as z from 'zod';
import { WEBHOOK_EVENTS, WEBHOOK_FORMATS, WEBHOOK_TYPES, type Webhook } from '../core/webhook.ts';
import { DEFAULTS } from './defaults.ts';
import { expected, section } from './expected.ts';
import { duration, whole } from './quantities.ts';

/** Each has a queue of its own; more of them are a mistake. */
const HOOKS_MAX = 16;
const MODELS_MAX = 1_000;
/** A new secret beside the old one, and one that is being retired. */
const SECRETS_MAX = 4;

/** The address may be a secret, so no message shows it. */
const A_URL = 'expected an address such as https://hooks.example.com/x, without user and password';

const url = z
  .string({ error: A_URL })
  .max(2_048, { error: A_URL })
  .refine((text) => isAddress(text), { error: A_URL });

/** True for an address that a webhook can have. */
function isAddress(text: string): boolean {
  if (!/^https?:\/\/[^\s]+$/.test(text) || !URL.canParse(text)) return false;
  const { username, password, hostname } = new URL(text);
  return hostname !== '' && username === '' && password === '';
}

const aFile = z.string({ error: expected('a file') }).min(1, { error: expected('a file') });

const A_VARIABLE = 'the name of an environment variable that begins with UNDERSTUDY_WEBHOOK_';

/** Others are none of a webhook's business. */
const aVariable = z
  .string({ error: expected(A_VARIABLE) })
  .regex(/^UNDERSTUDY_WEBHOOK_[A-Z0-9_]{1,64}$/, { error: `expected ${A_VARIABLE}` });

function oneOrMore<One extends z.ZodType<string>>(one: One, what: string) {
  const many = z
    .array(one, { error: expected(what) })
    .min(1, { error: expected(what) })
    .max(SECRETS_MAX, { error: expected(`at most ${SECRETS_MAX}`) });
  return z.union([one, many], { error: expected(`${what}, or a list of at most ${SECRETS_MAX}`) });
}

function between(min: string, max: string, [minMs, maxMs]: readonly [number, number]) {
  return duration.refine((ms) => ms >= minMs && ms <= maxMs, {
    error: expected(`a duration from ${min} to ${max}`),
  });
}

const { webhook } = DEFAULTS;

const webhookSection = section({
  name: z
    .string({ error: expected('a name') })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
      error: expected('a name of letters, digits, points and dashes'),
    })
    .optional(),
  url: url.optional(),
  urlFile: aFile.optional(),
  type: z.enum(WEBHOOK_TYPES, { error: expected(WEBHOOK_TYPES.join(', ')) }).default(webhook.type),
  events: z
    .array(z.enum(WEBHOOK_EVENTS, { error: expected(WEBHOOK_EVENTS.join(', ')) }), {
      error: expected('a list of events'),
    })
    .min(1, { error: expected('at least one event') })
    .optional(),
  models: z
    .array(z.string({ error: expected('a model name') }).min(1), {
      error: expected('a list of models'),
    })
    .min(1, { error: expected('at least one model') })
    .max(MODELS_MAX, { error: expected(`at most ${MODELS_MAX} models`) })
    .optional(),
  format: z
    .enum(WEBHOOK_FORMATS, { error: expected(WEBHOOK_FORMATS.join(', ')) })
    .default(webhook.format),
  secretFile: oneOrMore(aFile, 'a file').optional(),
  secretVariable: oneOrMore(aVariable, A_VARIABLE).optional(),
  caFile: aFile.optional(),
  timeout: between('100ms', '60s', [100, 60_000]).prefault(webhook.timeout),
  connectTimeout: between('100ms', '60s', [100, 60_000]).prefault(webhook.connectTimeout),
  retries: whole({ min: 0, max: 20 }, 'attempts').default(webhook.retries),
  every: between('1s', '1h', [1_000, 3_600_000]).prefault(webhook.every),
});

type Written = z.output<typeof webhookSection>;

/** The schema of `webhooks`. Files stay as written. */
export const webhooksSchema = z
  .array(webhookSection.transform(checkedHook), { error: expected('a list of webhooks') })
  .max(HOOKS_MAX, { error: expected(`at most ${HOOKS_MAX} webhooks`) })
  .superRefine((hooks, context) => {
    hooks.forEach(({ name }, at) => {
      if (hooks.findIndex((other) => other.name === name) === at) return;
      const message = `expected a name of its own, found "${name}" twice: set name`;
      context.addIssue({ code: 'custom', path: [at, 'name'], message });
    });
  })
  .default([]);

/** The webhooks with the paths of their files made absolute. */
export function withAbsoluteFiles(hooks: readonly Webhook[], base: string): readonly Webhook[] {
  return hooks.map((hook) => ({
    ...hook,
    address: 'file' in hook.address ? { file: resolve(base, hook.address.file) } : hook.address,
    secretFiles: hook.secretFiles.map((file) => resolve(base, file)),
    caFile: hook.caFile === undefined ? undefined : resolve(base, hook.caFile),
  }));
}

function checkedHook(written: Written, context: z.RefinementCtx): Webhook {
  for (const [path, message] of problemsOf(written))
    context.addIssue({ code: 'custom', path: [path], message });
  const { url: address, urlFile, secretFile = [], secretVariable = [] } = written;
  const { type, models, format, caFile, retries } = written;
  return {
    name: written.name ?? nameOf(written),
    address: urlFile === undefined ? { url: address ?? '' } : { file: urlFile },
    events: written.events ?? WEBHOOK_EVENTS,
    ...{ type, models, format, caFile, retries },
    secretFiles: [secretFile].flat(),
    secretVariables: [secretVariable].flat(),
    timeoutMs: written.timeout,
    connectTimeoutMs: Math.min(written.connectTimeout, written.timeout),
    everyMs: written.every,
  };
}

/** The host, which is no secret, or the name of the file. */
function nameOf({ url: address, urlFile }: Written): string {
  const name =
    urlFile === undefined
      ? new URL(address ?? 'http://unknown').hostname
      : urlFile.split('/').at(-1);
  return (name ?? '').replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 63);
}

function problemsOf(written: Written): readonly (readonly [keyof Written, string])[] {
  const { url: address, urlFile, type, events, format } = written;
  const problems: (readonly [keyof Written, string])[] = [];
  if ((address === undefined) === (urlFile === undefined))
    problems.push(['url', 'expected either url or urlFile']);
  if (type === 'event') return problems;
  if (events !== undefined)
    problems.push(['events', `expected no events: a webhook of type ${type} is asked, not told`]);
  if (format !== 'understudy')
    problems.push(['format', `expected understudy, found "${format}": type ${type} has no other`]);
  return problems;
}
