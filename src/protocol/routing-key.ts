/** Where a model's requests say who they are. Header names are in lower case. */
export type Identity = {
  /** The header whose value keeps a caller with one version. */
  readonly sticky: string | undefined;
  /** Declared attributes: name to header. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Headers that rules look at. */
  readonly ruleHeaders: readonly string[];
  /** How long a request may take where it says nothing itself. */
  readonly deadlineMs: number;
};

export type Identified = {
  readonly unit: string;
  readonly attributes: Readonly<Record<string, string>>;
};

/** A header of HTTP, or a metadata entry of gRPC, by its name in lower case; undefined where it is absent. */
export type HeaderOf = (name: string) => string | undefined;

/** What one request brought along. */
export type Credentials = {
  readonly header: HeaderOf;
  readonly sequenceId: string | undefined;
  /** Ours, not the caller's: callers send `1` again and again, and one arm would get them all. */
  readonly requestId: string;
};

/**
 * What a request is assigned by, the sequence id, else the sticky header, else its own id with us, and what slices and rules
 * may look at. An empty header counts as absent.
 */
export function identify(
  identity: Identity,
  { header, sequenceId, requestId }: Credentials,
): Identified {
  const sticky = identity.sticky === undefined ? undefined : textOf(header, identity.sticky);
  return {
    unit: sequenceId ?? sticky ?? requestId,
    attributes: attributesOf(identity, header),
  };
}

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({});

function attributesOf(identity: Identity, headerOf: HeaderOf): Readonly<Record<string, string>> {
  const declared = Object.entries(identity.attributes);
  if (declared.length === 0 && identity.ruleHeaders.length === 0) return NO_ATTRIBUTES;
  const attributes: Record<string, string> = {};
  for (const [name, header] of declared) {
    const value = textOf(headerOf, header);
    if (value !== undefined) attributes[name] = value;
  }
  for (const header of identity.ruleHeaders) {
    const value = textOf(headerOf, header);
    if (value !== undefined) attributes[`header:${header}`] = value;
  }
  return attributes;
}

function textOf(header: HeaderOf, name: string): string | undefined {
  return header(name) || undefined;
}
