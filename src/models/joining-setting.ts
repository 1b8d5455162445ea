import { arch, cpus } from 'node:os';
import type { ModelConfig } from '../config/model-section.ts';
import { runtimeVersion } from '../config/program.ts';
import { keepsRows } from '../core/reshape.ts';
import type { JoiningKey, JoiningStore } from '../host/joining-store.ts';
import { FINDING_RULE, type JoiningSetting } from '../host/joinings.ts';
import type { Package } from '../repository/package.ts';
import { instancesOf } from './instances.ts';

const processor = `${arch()} ${cpus()[0]?.model ?? 'unknown'}`;

/** What a finding about a package's rows holds for. */
export function joiningKey({ digest }: Package, settings: ModelConfig): JoiningKey {
  const { batch, execution, instances } = settings;
  return {
    digest,
    rule: FINDING_RULE,
    runtime: runtimeVersion,
    processor,
    providers: execution.providers,
    strict: execution.strict,
    intraOpThreads: instancesOf(instances).intraOpThreads,
    rowsMax: batch.rowsMax,
    declared: batch.declared,
  };
}

/** Whether requests of a package share runs, and whether that has yet to be probed. */
export async function joiningSetting(
  found: Package,
  settings: ModelConfig,
  store: Pick<JoiningStore, 'get'>,
): Promise<JoiningSetting> {
  const { rowsMax, declared } = settings.batch;
  if (rowsMax === 0) return known({ kind: 'off', because: '`batch: off` is configured' });
  if (rowsMax === 1) return known({ kind: 'off', because: '`batch.rowsMax: 1` is configured' });
  const moving = found.reshapes.find((reshape) => !keepsRows(reshape));
  if (moving !== undefined) {
    const because = `the reshape of ${moving.side} '${moving.name}' moves its leading dimension`;
    return known({ kind: 'off', because });
  }
  const { rows } = found;
  if (rows.kind === 'mixed') {
    const { because } = rows;
    return known(declared ? { kind: 'declared', doubt: because } : { kind: 'off', because });
  }
  const joining = await store.get(joiningKey(found, settings));
  if (joining !== undefined) return known(joining);
  return {
    joining: declared ? { kind: 'declared', doubt: undefined } : { kind: 'probing' },
    probe: true,
  };
}

function known(joining: JoiningSetting['joining']): JoiningSetting {
  return { joining, probe: false };
}
