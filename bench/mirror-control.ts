import { defaultSteps } from '../src/config/defaults.ts';
import type { GatewayProcess } from './gateway-process.ts';

export type MirroredModel = {
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
};

/** Of the mirrored requests, how many a rollout twins where nothing else is written, in percent. */
const TWIN_PERCENT = twinOfDefault();

/** Mirrors so many percent of the traffic. At 0 the shadow host stays loaded, so that memory is the same either way. */
export async function setMirror(
  gateway: GatewayProcess,
  { model, stable, candidate }: MirroredModel,
  percentage: number,
): Promise<void> {
  const path = `/api/v1/models/${model}/route`;
  const { revision } = (await gateway.admin('GET', path)) as { readonly revision: number };
  await gateway.admin('PUT', path, {
    revision,
    stable,
    split: { [stable]: 100 },
    mirror: { version: candidate, percentage, twin: TWIN_PERCENT },
  });
}

/** How many mirrored requests the shadow hosts have run so far, and how many went without. */
export async function shadowWork(
  gateway: GatewayProcess,
  model: string,
): Promise<{ readonly run: number; readonly dropped: number }> {
  const metrics = String(await gateway.admin('GET', '/metrics'));
  let run = 0;
  let dropped = 0;
  for (const line of metrics.split('\n')) {
    const found = /^understudy_mirror_requests_total\{(.*)\} (\d+)$/.exec(line);
    const [, labels = '', count = '0'] = found ?? [];
    if (!labels.includes(`model="${model}"`) || labels.includes('result="notSampled"')) continue;
    if (labels.includes('result="compared"')) run += Number(count);
    else dropped += Number(count);
  }
  return { run, dropped };
}

function twinOfDefault(): number {
  for (const step of defaultSteps('equivalent')) if (step.kind === 'setMirror') return step.twin;
  return 0;
}
