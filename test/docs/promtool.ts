import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../support/project-root.ts';

/** Where `.ci/run` unpacks it. */
const UNPACKED = path.join(projectRoot, '.build/promtool/usr/bin/promtool');

/** Prometheus' promtool: on the path, or unpacked by `.ci/run`. Undefined: this machine has none. */
export function promtoolProgram(): string | undefined {
  return ['promtool', UNPACKED].find(
    (program) => spawnSync(program, ['--version']).error === undefined,
  );
}
