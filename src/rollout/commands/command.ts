import { type Refusal, refused } from '../../core/refusal.ts';
import {
  anchorBeside,
  type Command,
  type CommandBy,
  type Rollout,
  type RolloutSpec,
} from '../../core/rollout.ts';
import { ALL_BP, type Route } from '../../core/route.ts';
import { metricPlans } from '../../decide/metric-plans.ts';
import type { Undo } from '../action/advance.ts';
import { heldBackText } from '../action/holdback.ts';
import { type Extend, refusalOfExtension } from '../history/extension.ts';
import { type Owed, swappedPackage, type Trial } from '../history/history.ts';

type SetAnchor = Extract<Command, { kind: 'setAnchor' }>;

/** What is asked of the controller. A rollout's salt is the controller's to draw, and so are digests. */
export type Submission =
  | Exclude<Command, { kind: 'start' | 'reloadConfig' | 'setAnchor' }>
  | Omit<SetAnchor, 'digest'>
  | {
      readonly kind: 'start';
      readonly spec: Omit<RolloutSpec, 'salt'>;
      readonly by?: CommandBy;
    };

/** What came of a command. `why` says what was expected, what was found, and what to do. */
export type CommandResult =
  | {
      readonly kind: 'applied';
      /** The rollout that was started, moved or ended; undefined for a route. */
      readonly rolloutId: string | undefined;
      /** Of the model's route, after the command. */
      readonly revision: number;
      /** What is not as it should be yet, and what to do about it. */
      readonly notYet?: NotYet;
    }
  | Refusal;

/** `isDurable`: the command is on record, and a restart carries it out. */
export type NotYet = { readonly isDurable: boolean; readonly why: string };

/** Of a command that the ledger took, while it did not take the route that follows. */
export const WAITS_FOR_LEDGER: NotYet = {
  isDurable: true,
  why: 'it is on record, and carried out once the ledger takes records again',
};

/** What a command meets. */
export type CommandContext = {
  readonly route: Route | undefined;
  /** What is recorded of the model's route and not carried out yet. */
  readonly owed: Owed;
  /** Why no traffic is routed to the model yet, in a sentence; undefined: it is served, or there is none. */
  readonly whyStarting: string | undefined;
  readonly alive: Rollout | undefined;
  /** The model's latest trial, alive or not. */
  readonly last: Trial | undefined;
  /** The last one that promoted, and was not undone. */
  readonly promoted: Trial | undefined;
  readonly digestOf: (model: string, version: string) => string | undefined;
  readonly whyNotComparable: (spec: RolloutSpec) => string | undefined;
};

export function modelOf(command: Submission): string {
  return command.kind === 'start' ? command.spec.model : command.model;
}

/** A command about one model. */
export type ModelCommand = Exclude<Command, { kind: 'reloadConfig' }>;

/** Why a command cannot be carried out; undefined: it can. */
export function refusalOf(command: ModelCommand, context: CommandContext): Refusal | undefined {
  const { route, whyStarting, alive } = context;
  // A trial can be ended before its model is served.
  if (alive !== undefined && isEndOf(alive, command)) return undefined;
  if (whyStarting !== undefined) {
    return refused(
      'not_ready',
      `${modelOf(command)} is starting (${whyStarting}): ask again once it is ready`,
    );
  }
  if (route === undefined) return refused('unknown_model', `no model "${modelOf(command)}"`);
  switch (command.kind) {
    case 'start':
      return refusalOfStart(command.spec, { ...context, route });
    case 'setRoute':
      return refusalOfRoute(command, { ...context, route });
    case 'setAnchor':
      return refusalOfAnchor(command, { ...context, route });
    case 'extend':
      return refusalOfMore(command, { ...context, route });
    case 'undo':
      return refusalOfUndo(command, { ...context, route });
    default:
      return refusalOfMove(command, context);
  }
}

type RoutedContext = CommandContext & { readonly route: Route };

function refusalOfStart(spec: RolloutSpec, context: RoutedContext): Refusal | undefined {
  const { route, alive } = context;
  const { model, stable, candidate } = spec;
  if (alive !== undefined) {
    return refused('rollout_running', runningText(alive));
  }
  if (spec.steps.length === 0) return refused('invalid', 'expected at least one step, found none');
  if (stable !== route.stable) {
    return refused(
      'invalid',
      `stable of ${model} is version ${route.stable}, the rollout says ${stable}`,
    );
  }
  if (candidate === stable) {
    return refused('invalid', `version ${candidate} is stable already: nothing to try`);
  }
  const unknown = unknownVersion([stable, candidate], model, context);
  return (
    unknown ??
    refusalOfOthers(route, candidate) ??
    refusalOfLostAnchor(spec, context) ??
    refusalOfMatch(spec, context)
  );
}

/** A claim against an anchor that cannot answer would never be proven. */
function refusalOfLostAnchor(spec: RolloutSpec, { digestOf }: CommandContext): Refusal | undefined {
  const { model } = spec;
  const anchor = anchorBeside(spec);
  const gates = metricPlans(spec).some(
    ({ key, role }) => key.metric === 'anchorLoss' && role === 'gate',
  );
  if (anchor === undefined || !gates) return undefined;
  const digest = digestOf(model, anchor.version);
  if (digest === anchor.digest) return undefined;
  const found =
    digest === undefined ? 'is not in the repository' : 'has other files than when it became that';
  return refused(
    digest === undefined ? 'unknown_version' : 'invalid',
    `version ${anchor.version}, the anchor of ${model}, ${found}: put them back, or name the version that loss is to add up against: understudy rollout anchor ${model} VERSION --reason ...`,
  );
}

function refusalOfMatch(spec: RolloutSpec, context: CommandContext): Refusal | undefined {
  const why = context.whyNotComparable(spec);
  if (why === undefined) return undefined;
  const { candidate, stable } = spec;
  return refused(
    'not_comparable',
    `version ${candidate} cannot be tried against ${stable}: ${why}`,
  );
}

/** What has ended goes on only where it could be started, with the packages that its evidence is about. */
function refusalOfMore({ model }: Extend, context: RoutedContext): Refusal | undefined {
  const { last, digestOf } = context;
  const refusal = refusalOfExtension(last, model);
  if (refusal !== undefined || last === undefined || context.alive !== undefined) return refusal;
  const swapped = swappedPackage(last, digestOf);
  if (swapped !== undefined) {
    return refused('invalid', `${swapped} since rollout ${last.rollout.id} ended: start another`);
  }
  return refusalOfStart(last.rollout.spec, context);
}

/** A trial draws its units from all of the traffic, so nothing else may hold a part of it. */
function refusalOfOthers(route: Route, candidate: string): Refusal | undefined {
  const mine = new Set([route.stable, candidate]);
  const other = route.shares.find((share) => share.weightBp > 0 && !mine.has(share.version));
  const held = other?.version ?? route.mirror?.version;
  if (held === undefined || mine.has(held)) return undefined;
  const what = other === undefined ? 'the mirror' : `${other.weightBp / 100} % of the traffic`;
  return refused('route_in_the_way', `version ${held} has ${what}: set the route without it first`);
}

function refusalOfRoute(
  command: Extract<Command, { kind: 'setRoute' }>,
  context: RoutedContext,
): Refusal | undefined {
  const { route, alive } = context;
  if (alive !== undefined) {
    const isHeld = alive.phase.kind === 'holdback';
    const why = isHeld
      ? heldBackText(alive)
      : `rollout ${alive.id} holds the route: abort it first`;
    return refused('rollout_running', why);
  }
  if (command.revision !== route.revision) {
    return refused(
      'revision_moved',
      `the route is at revision ${route.revision}, the change was made to revision ${command.revision}: read it again`,
    );
  }
  const { shares, mirror, stable } = command;
  const total = shares.reduce((sum, share) => sum + share.weightBp, 0);
  const whole = shares.every((share) => Number.isInteger(share.weightBp) && share.weightBp >= 0);
  if (total !== ALL_BP || !whole) {
    return refused('invalid', `expected shares that add up to 100 %, found ${total / 100} %`);
  }
  const versions = [stable, ...shares.map((share) => share.version)];
  const named = mirror === undefined ? versions : [...versions, mirror.version];
  return unknownVersion(named, command.model, context);
}

/** A rollout is held to the anchor that it began with. */
function refusalOfAnchor(
  { model, version }: SetAnchor,
  context: RoutedContext,
): Refusal | undefined {
  const { alive } = context;
  if (alive !== undefined) {
    return refused(
      'rollout_running',
      `rollout ${alive.id} is running against the anchor that it began with: promote or abort it first`,
    );
  }
  return unknownVersion([version], model, context);
}

/** Only what was promoted, and still serves, can be undone, and only to what it replaced. */
function refusalOfUndo({ model }: Undo, context: RoutedContext): Refusal | undefined {
  const { route, owed, alive, last, promoted, digestOf } = context;
  if (alive !== undefined) {
    const why = `rollout ${alive.id} has not promoted its candidate (${alive.phase.kind}): expected one in its holdback or promoted. Abort it instead`;
    return refused('rollout_running', why);
  }
  if (promoted === undefined) {
    const found = last === undefined ? 'none' : `${last.rollout.id}, ${last.rollout.phase.kind}`;
    const why = `expected a promoted rollout of ${model} to undo, found ${found}. Set the route instead`;
    return refused('no_rollout', why);
  }
  const { id, spec } = promoted.rollout;
  // As the command came, the promotion was on its way to the ledger, and traffic went back at once.
  const isOwed = owed.kind === 'rollout' && last?.rollout.id === id;
  if (route.stable !== spec.candidate && !isOwed) {
    const why = `expected version ${spec.candidate}, which rollout ${id} promoted, as stable of ${model}, found version ${route.stable}. Set the route instead`;
    return refused('route_in_the_way', why);
  }
  const unknown = unknownVersion([spec.stable], model, context);
  if (unknown !== undefined || digestOf(model, spec.stable) === promoted.digests.stable)
    return unknown;
  const why = `expected package ${spec.stable} as rollout ${id} met it, found that it has changed since. Set the route instead, or start a rollout of it`;
  return refused('invalid', why);
}

/** Why a trial that an end is meant for cannot be ended now: the version to go back to does not answer. */
export function refusalOfEnd(
  command: ModelCommand,
  alive: Rollout | undefined,
): Refusal | undefined {
  if (alive === undefined || !isEndOf(alive, command)) return undefined;
  const { model, stable } = alive.spec;
  const why = `version ${stable} of ${model} does not answer at present: ask again once it is ready`;
  return refused('not_ready', why);
}

function isEndOf({ phase }: Rollout, { kind }: ModelCommand): boolean {
  return kind === 'abort' || (kind === 'undo' && phase.kind === 'holdback');
}

/** Why nothing else can begin while a rollout is under way, and how it is ended. */
export function runningText(alive: Rollout): string {
  if (alive.phase.kind === 'holdback') return heldBackText(alive);
  return `rollout ${alive.id} is running: promote or abort it first`;
}

function refusalOfMove(
  command: Extract<Command, { kind: 'promote' | 'abort' | 'pause' | 'resume' }>,
  { alive }: CommandContext,
): Refusal | undefined {
  if (alive === undefined) {
    return refused('no_rollout', `no rollout of ${command.model} is running`);
  }
  if (command.kind === 'pause') return refusalOfPause(alive);
  if (command.kind !== 'resume' || alive.phase.kind === 'paused') return undefined;
  return refused('not_paused', `rollout ${alive.id} is not paused: nothing to resume`);
}

/** What has no step yet, or none any more, has nothing that could be held. */
function refusalOfPause(alive: Rollout): Refusal | undefined {
  const { id, phase, spec } = alive;
  if (phase.kind === 'holdback') return refused('rollout_running', heldBackText(alive));
  if (phase.kind !== 'loading') return undefined;
  const why = `rollout ${id} has not begun (version ${spec.candidate} is being loaded): pause it once it has, or abort it`;
  return refused('not_ready', why);
}

function unknownVersion(
  versions: readonly string[],
  model: string,
  { digestOf }: CommandContext,
): Refusal | undefined {
  const missing = versions.find((version) => digestOf(model, version) === undefined);
  if (missing === undefined) return undefined;
  return refused('unknown_version', `no version ${missing} of ${model} in the repository`);
}
