import { type RolloutFile, readRolloutFile } from '../config/rollout-file.ts';
import { messageOf } from '../core/errors.ts';
import type { Plan } from '../rollout/plan/plan.ts';
import { AdminClient, type GatewayOptions, rolloutPath } from './admin-client.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';
import { formatPlan } from './plan-view.ts';
import { readPage } from './rollout-list.ts';

type Common = GatewayOptions & { readonly output: string };
type Applied = {
  readonly rolloutId?: string;
  readonly revision: number;
  /** What is not as it should be yet. */
  readonly warning?: string;
};
type Started = Applied & { readonly plan: Plan };

export type StartOptions = Common & {
  readonly intent?: string;
  readonly claim?: string;
  readonly file?: string;
  readonly rate?: string;
};

/** `understudy rollout start`: the file's keys, then what the command line says. */
export async function start(
  model: string,
  candidate: string,
  options: StartOptions,
): Promise<void> {
  const answer = (await ask(model, candidate, { options, path: '' })) as Started;
  await print(answer, readFormat(options.output), ({ rolloutId, plan, warning }) =>
    [
      `rollout ${rolloutId}: version ${candidate} is being loaded; the trial begins once it is ready.`,
      ...(warning === undefined ? [] : [`Warning: ${warning}`]),
      formatPlan(plan),
      `Watch it: understudy rollout get ${model} --watch`,
    ].join('\n'),
  );
}

/** `understudy rollout plan`: what `start` with the same words would take. Starts nothing. */
export async function plan(model: string, candidate: string, options: StartOptions): Promise<void> {
  const answer = (await ask(model, candidate, { options, path: '/plan' })) as Plan;
  await print(answer, readFormat(options.output), formatPlan);
}

type Asked = { readonly options: StartOptions; readonly path: string };

async function ask(model: string, candidate: string, { options, path }: Asked): Promise<unknown> {
  readFormat(options.output);
  const section = options.file === undefined ? undefined : await readSection(options.file);
  const body = {
    ...section?.source,
    candidate,
    ...(options.intent !== undefined && { intent: options.intent }),
    ...(options.claim !== undefined && { claim: options.claim }),
  };
  const query = options.rate === undefined ? '' : `?requestsPerSecond=${readRate(options.rate)}`;
  const client = new AdminClient(options);
  return client.post(`${rolloutPath(model)}${path}${query}`, body).catch(placedIn(section));
}

export type VerbOptions = Common & { readonly reason: string };

/**
 * `understudy rollout undo`. The request names the promotion that it means, so that it can be repeated: the one that is asked for, or
 * else the model's last one, or the last rollout where that has been undone.
 */
export async function undo(
  model: string,
  options: VerbOptions & { readonly rollout?: string },
): Promise<void> {
  const rollout = options.rollout ?? (await promotionOf(model, options));
  await give('undo', model, { options, body: { ...(rollout !== undefined && { rollout }) } });
}

async function promotionOf(model: string, options: VerbOptions): Promise<string | undefined> {
  readFormat(options.output);
  const { rollouts } = await readPage(new AdminClient(options), model, '?limit=50');
  const latest = rollouts.at(0);
  const isUndone = latest?.decidedBy.join() === 'undo';
  const found = isUndone
    ? latest
    : rollouts.find(({ phase }) => phase === 'promoted' || phase === 'holdback');
  return found?.id;
}

/** `understudy rollout promote|abort|pause|resume`. */
export async function command(verb: string, model: string, options: VerbOptions): Promise<void> {
  await give(verb, model, { options, body: {} });
}

/** `understudy rollout extend`. */
export async function extend(
  model: string,
  options: VerbOptions & { readonly for: string },
): Promise<void> {
  await give('extend', model, { options, body: { for: options.for } });
}

/** `understudy rollout anchor`. */
export async function anchor(model: string, version: string, options: VerbOptions): Promise<void> {
  await give('anchor', model, {
    options,
    body: { version },
    done: `version ${version} of ${model} is the anchor: loss adds up against it from here on`,
  });
}

type Given = { readonly options: VerbOptions; readonly body: object; readonly done?: string };

async function give(verb: string, model: string, given: Given): Promise<void> {
  const { options, body } = given;
  const format = readFormat(options.output);
  if (options.reason.trim() === '')
    throw new CommandError(EXIT.usage, '--reason: expected a text that says why, found none');
  const client = new AdminClient(options);
  const path = `${rolloutPath(model)}/${verb}`;
  const answer = (await client.post(path, { ...body, reason: options.reason })) as Applied;
  await print(answer, format, ({ rolloutId, warning }) => {
    const done = given.done ?? `rollout ${rolloutId}: ${verb} carried out`;
    return warning === undefined ? done : `${done}.\nWarning: ${warning}`;
  });
}

function readRate(text: string): number {
  const rate = Number(text);
  if (rate > 0 && Number.isFinite(rate)) return rate;
  throw new CommandError(EXIT.usage, `--rate: expected a number above 0, found "${text}"`);
}

/** Some keys are checked by the gateway, against its configuration: its error gets the file's line here. */
function placedIn(section: RolloutFile | undefined): (error: unknown) => never {
  return (error) => {
    const isComplaint = error instanceof CommandError && error.exitCode === EXIT.usage;
    const cause = isComplaint ? section?.complaint(error.message) : undefined;
    throw cause === undefined ? error : new CommandError(EXIT.usage, cause.message, { cause });
  };
}

async function readSection(file: string): Promise<RolloutFile> {
  try {
    return await readRolloutFile(file);
  } catch (error) {
    throw new CommandError(EXIT.usage, messageOf(error), { cause: error });
  }
}
