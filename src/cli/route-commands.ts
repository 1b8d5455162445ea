import { parseRouteRequest, type RouteRequest } from '../config/admin-request.ts';
import { messageOf } from '../core/errors.ts';
import type { Route } from '../core/route.ts';
import { AdminClient, type GatewayOptions, modelPath } from './admin-client.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print, readFormat } from './output.ts';
import { formatTable } from './table.ts';

type Common = GatewayOptions & { readonly output: string };

export type SetOptions = Common & {
  readonly stable?: string;
  readonly split?: string;
  readonly mirror?: string;
  readonly dryRun?: boolean;
};

/** The part of a route that a command sets. */
type Setting = Pick<Route, 'stable' | 'shares' | 'mirror'>;

type Change = {
  readonly model: string;
  readonly dryRun: boolean;
  /** Of the route after the change; of the present one in a dry run. */
  readonly revision: number;
  readonly before: Setting;
  readonly after: Setting;
  readonly warning?: string | undefined;
};

const ROUTE_KEYS = ['model', 'revision', 'stable', 'shares'];

/** `understudy route get`. */
export async function get(model: string, options: Common): Promise<void> {
  const format = readFormat(options.output);
  await print(await readRoute(new AdminClient(options), model), format, formatRoute);
}

/**
 * `understudy route set`: changes the route that it has read, and no other. One that has changed meanwhile, or belongs to a rollout,
 * is refused.
 */
export async function set(model: string, options: SetOptions): Promise<void> {
  const format = readFormat(options.output);
  const client = new AdminClient(options);
  if ([options.stable, options.split, options.mirror].every((option) => option === undefined))
    throw usage('expected --stable, --split or --mirror, found none');
  const present = await readRoute(client, model);
  const asked = askedFor(present, options);
  const body = bodyOf(present.revision, asked);
  const dryRun = options.dryRun === true;
  const { revision, warning } = dryRun
    ? { revision: present.revision, warning: undefined }
    : ((await client.put(`${modelPath(model)}/route`, body)) as Applied);
  const before = settingOf(present);
  const change: Change = { model, dryRun, revision, before, after: settingOf(asked), warning };
  await print(change, format, formatChange);
}

type Applied = { readonly revision: number; readonly warning?: string | undefined };

async function readRoute(client: AdminClient, model: string): Promise<Route> {
  return (await client.get(`${modelPath(model)}/route`, ROUTE_KEYS)) as Route;
}

function settingOf({ stable, shares, mirror }: Setting): Setting {
  return { stable, shares, mirror };
}

/** @throws CommandError `usage` where the options make no route. */
function askedFor(present: Route, options: SetOptions): RouteRequest {
  const stable = options.stable ?? present.stable;
  const split = options.split === undefined ? { [stable]: 100 } : splitOf(options.split);
  const mirror = mirrorOf(present, options.mirror);
  try {
    return parseRouteRequest({ revision: present.revision, stable, split, mirror });
  } catch (error) {
    throw usage(messageOf(error), { cause: error });
  }
}

/** The request in the units of the wire, with the shares as they were understood. */
function bodyOf(revision: number, { stable, shares, mirror }: RouteRequest): object {
  return {
    revision,
    stable,
    split: Object.fromEntries(shares.map((share) => [share.version, share.weightBp / 100])),
    ...(mirror && {
      mirror: {
        version: mirror.version,
        percentage: mirror.sampleBp / 100,
        twin: mirror.twinBp / 100,
      },
    }),
  };
}

/** `1=95,2=5`. */
function splitOf(text: string): Readonly<Record<string, number>> {
  const shares = text.split(',').map((part) => shareOf(part, '--split'));
  const versions = shares.map(([version]) => version);
  const twice = versions.find((version, at) => versions.indexOf(version) !== at);
  if (twice !== undefined)
    throw usage(`--split: expected each version once, found "${twice}" twice`);
  return Object.fromEntries(shares);
}

function mirrorOf(present: Route, text: string | undefined): object | undefined {
  if (text === 'off') return undefined;
  if (text !== undefined) {
    const [version, percentage] = shareOf(text, '--mirror');
    return { version, percentage };
  }
  if (present.mirror === undefined) return undefined;
  const { version, sampleBp, twinBp } = present.mirror;
  return { version, percentage: sampleBp / 100, twin: twinBp / 100 };
}

function shareOf(text: string, option: string): readonly [version: string, percent: number] {
  const at = text.lastIndexOf('=');
  const [version, percent] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at > 0 && version !== '' && /^\d+(\.\d+)?$/.test(percent)) return [version, Number(percent)];
  throw usage(`${option}: expected version=percent, such as 2=5, found "${text}"`);
}

function usage(message: string, options?: ErrorOptions): CommandError {
  return new CommandError(EXIT.usage, message, options);
}

export function formatRoute(route: Route, isWide: boolean): string {
  const { model, revision, rules, aliases, salt } = route;
  const facts = [
    ['Model:', model],
    ['Revision:', String(revision)],
    ...settingFacts(route),
    ...rules.map(({ attribute, equals, version }, at) => [
      at === 0 ? 'Rules:' : '',
      `${attribute} = ${equals} -> ${version}`,
    ]),
    ...Object.entries(aliases).map(([name, version], at) => [
      at === 0 ? 'Aliases:' : '',
      `${name} -> ${version}`,
    ]),
    ...(isWide ? [['Salt:', salt]] : []),
  ];
  return formatTable(facts);
}

function settingFacts(setting: Setting): readonly (readonly string[])[] {
  return [
    ['Stable:', setting.stable],
    ['Split:', splitText(setting)],
    ['Mirror:', mirrorText(setting)],
  ];
}

/** `1 95 % (stable), 2 5 % (other)`. */
function splitText({ shares }: Setting): string {
  return shares
    .map(({ arm, version, weightBp }) => `${version} ${weightBp / 100} % (${arm})`)
    .join(', ');
}

function mirrorText({ mirror }: Setting): string {
  if (mirror === undefined) return 'off';
  const { version, sampleBp, twinBp } = mirror;
  const twin = twinBp === 0 ? '' : `, ${twinBp / 100} % of that to the twin`;
  return `${sampleBp / 100} % to ${version}${twin}`;
}

function formatChange({ model, dryRun, revision, before, after, warning }: Change): string {
  const rows = settingFacts(before).map(([name = '', from = ''], at) => {
    const to = settingFacts(after)[at]?.[1] ?? '';
    return [name, from === to ? from : `${from}  ->  ${to}`];
  });
  const done = dryRun
    ? `This would change revision ${revision} of the route of ${model}. Nothing was changed.`
    : `The route of ${model} is at revision ${revision}.`;
  return [formatTable(rows), done, ...(warning === undefined ? [] : [`Warning: ${warning}`])].join(
    '\n',
  );
}
