import { counted, countText, durationText, limitText, numberText } from '../../core/text.ts';
import { arrivalsText } from '../nouns/arrivals-text.ts';
import type { LoadReport } from '../nouns/load-report.ts';
import type { BenchConditions, BenchRecord, Measured } from '../nouns/result.ts';
import type { Target } from '../nouns/target.ts';
import type { Address } from '../nouns/wire.ts';

const PROTOCOLS = {
  'rest-json': 'HTTP with JSON',
  'rest-binary': 'HTTP with binary tensors',
  grpc: 'gRPC',
  'grpc-stream': 'gRPC streams',
} as const satisfies Record<Target['protocol'], string>;

/** `fashion, version 2, on 127.0.0.1:8000 by gRPC`. */
export function targetText({ model, version, address, protocol }: Target): string {
  const which = version === undefined ? model : `${model}, version ${version},`;
  return `${which} on ${addressText(address)} by ${PROTOCOLS[protocol]}`;
}

function addressText({ host, port, tls }: Address): string {
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return tls ? `${at} (TLS)` : at;
}

/** How the load was made: arrivals, time, warm-up, deadline, processes. */
export function loadText(report: LoadReport): string {
  const { arrivals, durationMs, warmupMs, deadlineMs, inFlightMax, processes } = report;
  const warmup = warmupMs === 0 ? '' : `, the first ${durationText(warmupMs)} to warm up`;
  return `${arrivalsText(arrivals)}; ${durationText(durationMs)}${warmup}; deadline ${limitText(deadlineMs)}; at most ${counted(inFlightMax, 'request')} in flight, by ${processes} process${processes === 1 ? '' : 'es'}`;
}

/** Every load of a bench, with what it is called among the others; a bench of one load calls it nothing. */
function loadsOf({ result }: BenchRecord): readonly (Measured & { readonly name: string })[] {
  switch (result.mode) {
    case 'run':
    case 'soak':
      return [{ name: '', report: result.report, server: result.server }];
    case 'sweep':
      return [
        ...result.closed.map((loop) => ({
          ...loop,
          name: `closed loop of ${countText(loop.concurrency)}`,
        })),
        ...result.points.map((point) => ({
          ...point,
          name: `${numberText(point.perSecond)} a second`,
        })),
      ];
    case 'compare':
      return result.blocks.map((block) => ({
        ...block,
        name: `${block.arm}, round ${block.round}`,
      }));
    case 'slo':
      return result.trials.map((trial, place) => ({
        ...trial,
        name: `trial ${place + 1}, ${numberText(trial.perSecond)} a second`,
      }));
  }
}

/** Why figures are invalid, each with the load that it is about. */
export function warningsOf(record: BenchRecord): readonly string[] {
  return leavesWarningsOut(record) ? [] : sentencesOf(record, ({ warnings }) => warnings);
}

/** What to know when reading the figures, each with the load that it is about. */
export function notesOf(record: BenchRecord): readonly string[] {
  const warnings = leavesWarningsOut(record) ? sentencesOf(record, ({ warnings }) => warnings) : [];
  return [...warnings, ...sentencesOf(record, ({ notes = [] }) => notes)];
}

/** A comparison decides on the rounds that nothing is wrong with, where there are enough of them. */
function leavesWarningsOut({ result }: BenchRecord): boolean {
  return result.mode === 'compare' && result.trusted;
}

/** Answers that were not what they must be, each with the load that it was an answer to. */
export function wrongExamplesOf(record: BenchRecord): readonly string[] {
  return sentencesOf(record, ({ wrongExamples = [] }) => wrongExamples);
}

function sentencesOf(
  record: BenchRecord,
  choose: (report: LoadReport) => readonly string[],
): readonly string[] {
  return loadsOf(record).flatMap(({ name, report }) =>
    choose(report).map((sentence) => (name === '' ? sentence : `${name}: ${sentence}`)),
  );
}

/** What a bench was run on and how, by name. The first row is the heading. */
export function conditionRows(conditions: BenchConditions): readonly (readonly string[])[] {
  const { machine, targets, command, seed, understudy, takenAt, inputs } = conditions;
  return [
    ['Condition', 'Value'],
    ['Command', command],
    ['Seed', String(seed)],
    ['Taken at', takenAt],
    ['Understudy', understudy],
    [
      'Machine',
      `${machine.processor}, ${counted(machine.cores, 'core')}, ${countText(machine.memoryGiB)} GiB`,
    ],
    ['System', `${machine.platform}, Node ${machine.node}`],
    ['Inputs', inputs],
    ...targets.flatMap((target, place) =>
      targetRows(target, targets.length < 2 ? '' : ` ${'AB'[place] ?? place + 1}`),
    ),
  ];
}

function targetRows(
  target: BenchConditions['targets'][number],
  name: string,
): readonly (readonly string[])[] {
  const { server = 'does not say', platform = 'does not say', versions, headers } = target;
  const given = Object.keys(headers);
  return [
    [`Target${name}`, targetText(target)],
    [`Server${name}`, server],
    [`Model${name}`, `platform ${platform}; versions ${versions.join(', ') || 'not said'}`],
    // The values may be secrets, and a page is passed on.
    ...(given.length === 0
      ? []
      : [[`Headers${name}`, `${given.join(', ')} (values not kept here)`]]),
  ];
}
