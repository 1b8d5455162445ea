import { availableParallelism } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { counted, mebibytesText } from '../../core/text.ts';
import { instancesOf } from '../../models/instances.ts';
import type { Linted } from '../../models/lint.ts';
import { descriptorLimit } from '../../process/descriptors.ts';
import { memoryLimit } from '../../process/memory-limit.ts';
import type { Finding } from '../findings.ts';

/** The last day of each supported line of Node, as its schedule has it. */
const NODE_ENDS: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
};

const NODE_MIN = [20, 19] as const;

/** `version` as `process.version` has it; `nowMs` of the wall clock. */
export function nodeFinding(version: string, nowMs: number): Finding {
  const subject = 'Node';
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const found = version.replace(/^v/, '');
  const fix = 'Use Node 24, the newest line that is maintained for a long time.';
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]))
    return {
      level: 'fail',
      subject,
      message: `expected ${NODE_MIN.join('.')} or later, found ${found}`,
      fix,
    };
  const end = NODE_ENDS[major];
  if (end === undefined)
    return {
      level: 'warn',
      subject,
      message: `${found} is no line that this version was tested on`,
      fix,
    };
  if (nowMs > Date.parse(`${end}T23:59:59Z`))
    return { level: 'warn', subject, message: `${found} gets no more fixes since ${end}`, fix };
  return { level: 'ok', subject, message: `${found}, maintained until ${end}` };
}

/** Before this program was made, or absurdly late. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
const LATEST_MS = Date.UTC(2100, 0, 1);

/** Files of the ledger that were written after the present tell that the clock has been set back. */
const AHEAD_MS = 60_000;

/** `newestMs`: when the newest file of the ledger was written, by this clock; undefined: there is none. */
export function clockFinding(nowMs: number, newestMs: number | undefined): Finding {
  const subject = 'clock';
  const text = new Date(nowMs).toISOString();
  const fix = 'Set it by NTP: records, label windows and durations of rollouts are kept by it.';
  if (nowMs < EARLIEST_MS || nowMs > LATEST_MS)
    return { level: 'fail', subject, message: `expected a date of today, found ${text}`, fix };
  if (newestMs !== undefined && newestMs > nowMs + AHEAD_MS) {
    const message = `it says ${text}, and the ledger was written at ${new Date(newestMs).toISOString()}`;
    return { level: 'warn', subject, message, fix };
  }
  return { level: 'ok', subject, message: text };
}

/** What the models ask of the machine. */
export type Asked = { readonly threads: number; readonly bytes: number };

export function askedOf(config: Config, { models }: Pick<Linted, 'models'>): Asked {
  return models.reduce<Asked>(
    (sum, { model, versions }) => {
      const section = Object.hasOwn(config.models, model) ? config.models[model] : undefined;
      const { replicas, intraOpThreads } = instancesOf(section?.instances ?? 'auto');
      const largest = Math.max(0, ...versions.map(({ bytes }) => bytes));
      return {
        threads: sum.threads + replicas * intraOpThreads,
        bytes: sum.bytes + replicas * largest,
      };
    },
    { threads: 0, bytes: 0 },
  );
}

export function coresFinding({ threads }: Asked, cores = availableParallelism()): Finding {
  const message = `${counted(threads, 'thread')} of models on ${counted(cores, 'core')}`;
  if (threads <= Math.max(1, cores - 1)) return { level: 'ok', subject: 'cores', message };
  const fix =
    'Models that are busy at the same time slow each other down: lower models.<model>.instances.';
  return { level: 'warn', subject: 'cores', message, fix };
}

/** Of Node, of a child process, and of what the runtime takes beside the weights. */
const PROCESS_BYTES = 256 * 1_048_576;

export function memoryFinding({ bytes }: Asked, limit = memoryLimit()): Finding {
  const needed = PROCESS_BYTES + 2 * bytes;
  const message = `${mebibytesText(limit)} for this process (its cgroup, or the machine), the models' files with their replicas have ${mebibytesText(bytes)}`;
  if (needed <= limit) return { level: 'ok', subject: 'memory', message };
  const fix = `Give it ${mebibytesText(needed)} or more, or lower models.<model>.instances.`;
  return { level: 'warn', subject: 'memory', message, fix };
}

/** As `serve` needs, and what it can use. */
const FILES_MIN = 256;

export function descriptorsFinding(connectionsMax: number, found = descriptorLimit()): Finding {
  const subject = 'open files';
  const wanted = FILES_MIN + 2 * connectionsMax;
  const fix = 'Raise it with ulimit -n, or LimitNOFILE= of the service.';
  if (found < FILES_MIN)
    return {
      level: 'fail',
      subject,
      message: `expected at least ${FILES_MIN}, found ${found}`,
      fix,
    };
  if (found < wanted) {
    const message = `${found} allow fewer connections than server.connectionsMax (${connectionsMax} on each port)`;
    return { level: 'warn', subject, message, fix };
  }
  return {
    level: 'ok',
    subject,
    message: Number.isFinite(found) ? `at most ${found}` : 'no limit known',
  };
}
