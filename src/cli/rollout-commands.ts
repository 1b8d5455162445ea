import { readRolloutFile } from '../config/rollout-file.ts';
import { messageOf } from '../core/errors.ts';
import type { Plan } from '../rollout/plan.ts';
import { AdminClient, rolloutPath } from './admin-client.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';
import { formatPlan } from './plan-view.ts';

type Common = { readonly admin?: string; readonly output: string };
type Applied = {
  readonly rolloutId?: string;
  readonly revision: number;
  /** What is not as it should be yet. */
  readonly warning?: string;
};
type Started = Applied & { readonly plan: Plan };

export type StartOptions = Common & {
  readonly intent?: string;
  readonly file?: string;
  readonly rate?: string;
};

/** `understudy rollout start`: the file's keys, then what the command line says. */
export async function start(
  model: string,
  candidate: string,
  options: StartOptions,
): Promise<void> {
  const format = readFormat(options.output);
  const written = options.file === undefined ? {} : await readSection(options.file);
  const body = {
    ...written,
    candidate,
    ...(options.intent !== undefined && { intent: options.intent }),
  };
  const query =
    options.rate === undefined ? '' : `?requestsPerSecond=${encodeURIComponent(options.rate)}`;
  const path = `${rolloutPath(model)}${query}`;
  const answer = (await new AdminClient(options.admin).post(path, body)) as Started;
  print(answer, format, ({ rolloutId, plan, warning }) =>
    [
      `rollout ${rolloutId} has begun.`,
      ...(warning === undefined ? [] : [`Warning: ${warning}`]),
      formatPlan(plan),
      `Watch it: understudy rollout get ${model} --watch`,
    ].join('\n'),
  );
}

export type VerbOptions = Common & { readonly reason: string };

/** `understudy rollout promote|abort|resume`. */
export async function command(verb: string, model: string, options: VerbOptions): Promise<void> {
  const format = readFormat(options.output);
  const client = new AdminClient(options.admin);
  const path = `${rolloutPath(model)}/${verb}`;
  const answer = (await client.post(path, { reason: options.reason })) as Applied;
  print(answer, format, ({ rolloutId, warning }) => {
    const done = `rollout ${rolloutId}: ${verb} carried out`;
    return warning === undefined ? done : `${done}.\nWarning: ${warning}`;
  });
}

async function readSection(file: string): Promise<object> {
  try {
    return await readRolloutFile(file);
  } catch (error) {
    throw new CommandError(EXIT.usage, messageOf(error), { cause: error });
  }
}
