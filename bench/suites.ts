import { crashRecovery } from './crash-recovery.ts';
import { decisionCost } from './decision-cost.ts';
import type { Suite } from './figure.ts';
import { honesty } from './honesty.ts';
import { jsonFloats } from './json-floats.ts';
import { loadHarm } from './load-harm.ts';
import { mirrorHarm } from './mirror-harm.ts';
import { overhead } from './overhead.ts';
import { overload } from './overload.ts';
import { protocols } from './protocols.ts';
import { realModel } from './real-model.ts';
import { tracing } from './tracing.ts';

/** All suites, in the order that they run: the instrument first. */
export const SUITES: readonly Suite[] = [
  honesty,
  overhead,
  protocols,
  jsonFloats,
  realModel,
  overload,
  mirrorHarm,
  loadHarm,
  crashRecovery,
  decisionCost,
  tracing,
];
