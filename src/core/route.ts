import type { Role } from './caller.ts';

/** Weights are whole basis points: 10,000 is all of the traffic. */
export const ALL_BP = 10_000;

/** A percentage as basis points, within what there is. */
export function basisPoints(percent: number): number {
  return Math.min(ALL_BP, Math.max(0, Math.round(percent * 100)));
}

/**
 * What a share of the split stands for. `control` is a second copy of stable, run exactly as the candidate is; `other` is a
 * version with a share outside a rollout.
 */
export type Arm = 'stable' | 'candidate' | 'control' | 'other';

export type Share = { readonly arm: Arm; readonly version: string; readonly weightBp: number };

/** Sends a request that carries this attribute value to a version, regardless of the split. Never counts as evidence. */
export type Rule = {
  readonly attribute: string;
  readonly equals: string;
  readonly version: string;
  /** The role that its callers need, where authentication is on; absent: `operate`. */
  readonly role?: Role;
};

/** What the shadow host is to see of the traffic. `twinBp` is the part of the mirrored that stable's copy runs too. */
export type MirrorSetting = {
  readonly version: string;
  readonly sampleBp: number;
  readonly twinBp: number;
  /** A third version, which a part of the mirrored is run on; absent: none. */
  readonly anchor?: AnchorSource;
};

/** A version that answers copies beside the candidate, as far as it is there: with this digest of its package, and no other. */
export type AnchorSource = {
  readonly version: string;
  readonly digest: string;
  readonly shareBp: number;
};

/** How one model's live traffic is shared. Only the controller writes routes; each write raises the revision. */
export type Route = {
  readonly model: string;
  readonly revision: number;
  readonly stable: string;
  /** Adds up to 10,000. A unit's place on the line is fixed by the salt, so a growing share keeps the units it has. */
  readonly shares: readonly Share[];
  readonly salt: string;
  readonly rules: readonly Rule[];
  readonly aliases: Readonly<Record<string, string>>;
  readonly mirror: MirrorSetting | undefined;
};

/** How every model's traffic is shared at present. */
export type RouteView = {
  readonly read: (model: string) => Route | undefined;
  readonly list: () => readonly Route[];
};

/** The versions that the split and the mirror of a route lead to; some may be named twice. */
export function versionsLedTo({
  stable,
  shares,
  mirror,
}: Pick<Route, 'stable' | 'shares' | 'mirror'>) {
  const led = [stable, ...shares.map((share) => share.version)];
  return mirror === undefined ? led : [...led, mirror.version];
}

/**
 * The share that candidate and reference had when a unit was assigned: what makes an event of one of them a coin toss of
 * known odds. The reference is control where there is one, else stable.
 */
export type Exposure = {
  readonly candidateBp: number;
  readonly referenceBp: number;
};

/** Where one request was sent, and whether it may count as evidence. */
export type Assignment = {
  readonly version: string;
  readonly arm: Arm;
  /** How the version was found. Only `split` is random, so only `split` may count. */
  readonly by: 'split' | 'rule' | 'pin';
  readonly routeRevision: number;
  /** Set where the unit was drawn between candidate and reference and landed on one of them. */
  readonly exposure: Exposure | undefined;
  /** `candidate` or `reference` where `exposure` is set. */
  readonly side: 'candidate' | 'reference' | undefined;
};
