import { readRolloutFile } from '../config/rollout-file.ts';
import { messageOf } from '../core/errors.ts';
import { AdminClient, rolloutPath } from './admin-client.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';

type Common = { readonly admin: string; readonly output: string };
type Applied = { readonly rolloutId?: string; readonly revision: number };

export type StartOptions = Common & { readonly intent?: string; readonly file?: string };

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
  const answer = (await new AdminClient(options.admin).post(rolloutPath(model), body)) as Applied;
  print(
    answer,
    format,
    ({ rolloutId }) =>
      `rollout ${rolloutId} has begun. Watch it: understudy rollout get ${model} --watch`,
  );
}

export type VerbOptions = Common & { readonly reason: string };

/** `understudy rollout promote|abort|resume`. */
export async function command(verb: string, model: string, options: VerbOptions): Promise<void> {
  const format = readFormat(options.output);
  const client = new AdminClient(options.admin);
  const path = `${rolloutPath(model)}/${verb}`;
  const answer = (await client.post(path, { reason: options.reason })) as Applied;
  print(answer, format, ({ rolloutId }) => `rollout ${rolloutId}: ${verb} carried out`);
}

async function readSection(file: string): Promise<object> {
  try {
    return await readRolloutFile(file);
  } catch (error) {
    throw new CommandError(EXIT.usage, messageOf(error), { cause: error });
  }
}
