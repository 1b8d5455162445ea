import type { Role } from '../core/caller.ts';

/** Which headers of a model's requests decide where they are routed. Header names are in lower case. */
export type RoutingSettings = {
  /** The header whose value keeps a caller with one version. */
  readonly sticky: string | undefined;
  /** Declared attributes: name to header. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Headers that rules look at. */
  readonly ruleHeaders: readonly string[];
  /** The role that naming a version other than stable needs, where authentication is on. */
  readonly pin?: Role;
  /** Default deadline of a request that brings none, in milliseconds. */
  readonly deadlineMs: number;
};

export type RoutingKey = {
  readonly unit: string;
  readonly attributes: Readonly<Record<string, string>>;
};

/** A header of HTTP, or a metadata entry of gRPC, by its name in lower case; undefined where it is absent. */
export type HeaderOf = (name: string) => string | undefined;

/** What one request brings that routing reads. */
export type RoutingContext = {
  readonly header: HeaderOf;
  readonly sequenceId: string | undefined;
  /** The gateway's own, not the caller's: many clients send `1` every time, and one arm would get them all. */
  readonly requestId: string;
};

/**
 * The routing key of a request. The split hashes `unit`: the sequence id, else the sticky header, else the gateway's own id.
 * Slices and rules look at `attributes`. An empty header counts as absent.
 */
export function routingKeyOf(
  routing: RoutingSettings,
  { header, sequenceId, requestId }: RoutingContext,
): RoutingKey {
  const sticky = routing.sticky === undefined ? undefined : textOf(header, routing.sticky);
  return {
    unit: sequenceId ?? sticky ?? requestId,
    attributes: attributesOf(routing, header),
  };
}

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({});

function attributesOf(
  routing: RoutingSettings,
  headerOf: HeaderOf,
): Readonly<Record<string, string>> {
  const declared = Object.entries(routing.attributes);
  if (declared.length === 0 && routing.ruleHeaders.length === 0) return NO_ATTRIBUTES;
  const attributes: Record<string, string> = {};
  for (const [name, header] of declared) {
    const value = textOf(headerOf, header);
    if (value !== undefined) attributes[name] = value;
  }
  for (const header of routing.ruleHeaders) {
    const value = textOf(headerOf, header);
    if (value !== undefined) attributes[`header:${header}`] = value;
  }
  return attributes;
}

function textOf(header: HeaderOf, name: string): string | undefined {
  return header(name) || undefined;
}
