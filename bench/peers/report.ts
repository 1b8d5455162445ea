import { type Spread, spreadOf } from '../blocks.ts';
import type {
  ModelFigures,
  PeerFigures,
  PeersResult,
  ProxyFigures,
  ProxyRound,
  Round,
} from './peer-result.ts';

type Rows = readonly (readonly string[])[];

const HEADING = [
  'server',
  'form',
  'highest rate, per second',
  'p50 at half of it, ms',
  'p99 at half of it, ms',
  'p50 at the common rate, ms',
  'p99 at the common rate, ms',
  'memory, MiB',
  'start, s',
  'loads with warnings',
];

/** The figures of one model: a heading and a row for each peer that was measured. */
export function rowsOf({ peers }: ModelFigures): Rows {
  const measured = peers.filter(({ rounds }) => rounds.length > 0);
  return [HEADING, ...measured.map((peer) => [peer.peer, peer.form ?? '', ...cellsOf(peer)])];
}

function cellsOf({ rounds }: PeerFigures): readonly string[] {
  const cell = (digits: number, figure: (round: Round) => number | undefined): string => {
    const found = rounds.map(figure).filter((each) => each !== undefined);
    return found.length === 0 ? 'none' : formatSpread(spreadOf(found), digits);
  };
  return [
    cell(0, (round) => round.highestPerSecond),
    cell(2, (round) => round.half?.p50Ms),
    cell(2, (round) => round.half?.p99Ms),
    cell(2, (round) => round.common.p50Ms),
    cell(2, (round) => round.common.p99Ms),
    cell(0, (round) => round.memoryMiB),
    cell(2, (round) => round.startMs / 1_000),
    warningsOf(rounds),
  ];
}

/** Of the loads that the columns of half and common rate come from. */
function warningsOf(rounds: readonly Round[]): string {
  const loads = rounds.flatMap(loadsOf);
  return `${loads.reduce((sum, { warnings }) => sum + warnings, 0)} of ${loads.length}`;
}

function loadsOf({ half, common }: Round) {
  return half === undefined ? [common] : [half, common];
}

/** `512 (490 to 530)`: the median, and all that was found. */
export function formatSpread({ median, blocks }: Spread, digits: number): string {
  const [low, high] = [Math.min(...blocks), Math.max(...blocks)].map((one) => one.toFixed(digits));
  return low === high ? median.toFixed(digits) : `${median.toFixed(digits)} (${low} to ${high})`;
}

/** The whole run as Markdown. */
export function reportOf(result: PeersResult): string {
  const { machine, cores, conditions } = result;
  const taken = `Taken ${result.takenAt.slice(0, 10)} with \`${result.command}\` on ${machine.cores} cores (${machine.processor}, ${machine.memoryGiB} GiB), Node ${machine.node}; ${cores}; ${wordsOf(conditions)}. A cell is the median of the rounds, with the least and the greatest in brackets. A load has a warning where the generator itself was late by more than its figures can bear.`;
  return [
    taken,
    tableOf([['server', 'versions', 'settings'], ...result.peers.map(factsRow)]),
    ...result.skipped.map(({ name, why }) => `Left out: ${name}, because ${why}`),
    ...result.models.flatMap(sectionOf),
    ...proxySection(result.proxies ?? []),
  ].join('\n\n');
}

function factsRow({ name, versions, how, source }: PeersResult['peers'][number]) {
  const page = source.startsWith('http') ? `<${source}>` : `\`${source}\``;
  return [name, versions.join('<br>'), `${how} (${page})`];
}

function sectionOf(model: ModelFigures): readonly string[] {
  const { commonPerSecond, p99MsMax, title } = model;
  return [
    `### ${model.model}`,
    `${title}. The highest rate is the one whose 99th percentile stays within ${p99MsMax} ms; the common rate is ${commonPerSecond} per second.`,
    tableOf(rowsOf(model)),
    `Closed loop, per second, by which the form was chosen: ${model.peers.map(trialsOf).join('; ')}.`,
    ...model.peers.flatMap(shortcomingsOf),
  ];
}

function trialsOf({ peer, trials }: PeerFigures): string {
  const each = trials.map(({ form, perSecond, failed }) => {
    return `${form} ${failed === undefined ? (perSecond?.toFixed(0) ?? '') : 'failed'}`;
  });
  return `${peer} (${each.join(', ')})`;
}

/** What a reader must know before trusting a peer's row. */
function shortcomingsOf({ peer, trials, rounds, failed }: PeerFigures): readonly string[] {
  const failures = trials.flatMap((trial) => {
    return trial.failed === undefined ? [] : [`${peer}, ${trial.form}: ${trial.failed}`];
  });
  if (failed !== undefined) failures.push(`${peer} failed in a round: ${failed}`);
  const errors = rounds.flatMap(loadsOf).reduce((sum, load) => sum + load.errors, 0);
  if (errors > 0) failures.push(`${peer}: ${errors} requests were refused at half or common rate.`);
  return failures;
}

const PROXY_HEADING = [
  'who',
  'plain, per second',
  'plain p50, ms',
  'plain p99, ms',
  'split p50',
  'split p99',
  'split throughput',
  'mirrored p50',
  'mirrored p99',
  'mirrored throughput',
  'copies made',
];

/** Plain figures as they are, the others as ratios to them. */
export function proxyRows(proxies: readonly ProxyFigures[]): Rows {
  const measured = proxies.filter(({ rounds }) => rounds.length > 0);
  return [
    PROXY_HEADING,
    ...measured.map(({ name, rounds }) => {
      const cell = (key: keyof ProxyRound, digits: number): string =>
        formatSpread(spreadOf(rounds.map((round) => round[key])), digits);
      return [
        name,
        cell('plainPerSecond', 0),
        cell('plainP50Ms', 2),
        cell('plainP99Ms', 2),
        cell('splitP50', 2),
        cell('splitP99', 2),
        cell('splitThroughput', 2),
        cell('mirrorP50', 2),
        cell('mirrorP99', 2),
        cell('mirrorThroughput', 2),
        cell('mirrorCopied', 2),
      ];
    }),
  ];
}

function proxySection(proxies: readonly ProxyFigures[]): readonly string[] {
  if (proxies.length === 0) return [];
  return [
    '### Splitting and mirroring',
    tableOf(proxyRows(proxies)),
    `Versions: ${proxies.map(({ name, versions }) => `${name} ${versions.join(', ')}`).join('; ')}.`,
    ...proxies.flatMap(({ name, failed }) =>
      failed === undefined ? [] : [`Left out: ${name}, because ${failed}`],
    ),
  ];
}

function tableOf([heading = [], ...rows]: Rows): string {
  const rule = heading.map(() => '---');
  return [heading, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function wordsOf(conditions: PeersResult['conditions']): string {
  return Object.entries(conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
