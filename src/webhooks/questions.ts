import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Confirmation, HookAnswers, RolloutHooks } from '../core/hook-answers.ts';
import { isFinal, type Rollout } from '../core/rollout.ts';
import type { Webhook, WebhookResult } from '../core/webhook.ts';
import { isTaken } from './deliveries.ts';
import type { Endpoint } from './endpoint.ts';
import { type TaskOf, webhookRollout } from './webhook-rollout.ts';

export type Asked = { readonly hook: Webhook; readonly endpoint: Pick<Endpoint, 'send'> };

export type QuestionsOptions = {
  /** Webhooks of the types that are asked. */
  readonly asked: readonly Asked[];
  readonly clock: Clock;
  readonly taskOf: TaskOf;
  readonly traceparentOf?: ((rolloutId: string) => string | undefined) | undefined;
  readonly onResult: (hook: string, result: WebhookResult) => void;
};

/** What one webhook has said of one rollout. */
type State = {
  said: Confirmation['said'];
  text: string;
  /** By the monotonic clock; undefined: it is to be asked now. */
  nextMs: number | undefined;
  isAsking: boolean;
};

/** Of an answer's words, in characters. */
const TEXT_MAX = 200;

/**
 * Asks webhooks about rollouts, each at most once in its `every` and one question at a time, and keeps what they said last. A
 * confirmation counts only while what it confirms stays proven.
 */
export class Questions implements RolloutHooks {
  readonly #options: QuestionsOptions;
  /** By model: of its latest rollout, by webhook. */
  readonly #states = new Map<string, { readonly id: string; readonly of: Map<string, State> }>();
  readonly #stopped = new AbortController();

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  readonly answers = (rollout: Rollout): HookAnswers | undefined => {
    const asked = this.#askedAbout(rollout);
    if (asked.length === 0) return undefined;
    const states = this.#statesOf(rollout);
    const confirm = asked
      .filter(({ hook }) => hook.type === 'confirm-promotion')
      .map(({ hook: { name } }) => ({ hook: name, ...sayingOf(states.get(name)) }));
    const wants = asked.find(
      ({ hook }) => hook.type === 'rollback' && states.get(hook.name)?.said === 'yes',
    );
    if (wants === undefined) return { confirm };
    const { name } = wants.hook;
    return { confirm, rollBack: { hook: name, reason: states.get(name)?.text ?? '' } };
  };

  readonly ask = (rollout: Rollout, proven: string | undefined): void => {
    if (isFinal(rollout.phase) || this.#stopped.signal.aborted) return;
    const states = this.#statesOf(rollout);
    for (const asked of this.#askedAbout(rollout)) {
      const { name, type } = asked.hook;
      if (type === 'confirm-promotion' && proven === undefined) {
        // What is under way answers a state that is gone, and the next question keeps its distance.
        states.set(name, { ...newState(), nextMs: states.get(name)?.nextMs });
        continue;
      }
      const state = states.get(name) ?? newState();
      states.set(name, state);
      // What wants the end of a rollout need not be asked again.
      if (type === 'rollback' && state.said === 'yes') continue;
      void this.#askOne(asked, rollout, state);
    }
  };

  /** Gives up what is being asked. */
  close(): void {
    this.#stopped.abort();
  }

  #askedAbout({ spec: { model } }: Rollout): readonly Asked[] {
    return this.#options.asked.filter(({ hook }) => hook.models?.includes(model) ?? true);
  }

  #statesOf({ id, spec: { model } }: Rollout): Map<string, State> {
    const known = this.#states.get(model);
    if (known?.id === id) return known.of;
    const of = new Map<string, State>();
    this.#states.set(model, { id, of });
    return of;
  }

  async #askOne({ hook, endpoint }: Asked, rollout: Rollout, state: State): Promise<void> {
    const { clock, onResult, traceparentOf } = this.#options;
    const nowMs = clock.monotonicMs();
    if (state.isAsking || (state.nextMs !== undefined && nowMs < state.nextMs)) return;
    state.isAsking = true;
    state.nextMs = nowMs + hook.everyMs;
    const message = {
      // Each time another: a receiver that takes no message twice would say yes to one that it has seen.
      id: `msg_${hook.type}_${rollout.id}_${clock.wallMs()}`,
      body: JSON.stringify(this.#questionOf(hook, rollout)),
      traceparent: traceparentOf?.(rollout.id),
    };
    try {
      const { status, text } = await endpoint.send(message, this.#stopped.signal);
      const isYes = isTaken(status);
      state.said = isYes ? 'yes' : 'no';
      state.text =
        isYes && hook.type === 'rollback' ? reasonIn(text, status) : answered(status, text);
      onResult(hook.name, isYes ? 'confirmed' : 'declined');
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      state.said = 'nothing';
      state.text = `no answer: ${words(messageOf(error))}`;
      onResult(hook.name, 'failed');
    } finally {
      state.isAsking = false;
    }
  }

  #questionOf(hook: Webhook, rollout: Rollout) {
    const { clock, taskOf } = this.#options;
    return {
      type: hook.type,
      timestamp: new Date(clock.wallMs()).toISOString(),
      data: {
        model: rollout.spec.model,
        rollout: webhookRollout(rollout, undefined, taskOf),
      },
    };
  }
}

function newState(): State {
  return { said: 'nothing', text: 'not asked yet', nextMs: undefined, isAsking: false };
}

function sayingOf(state: State | undefined): Pick<Confirmation, 'said' | 'text'> {
  return { said: state?.said ?? 'nothing', text: state?.text ?? 'not asked yet' };
}

function answered(status: number, text: string): string {
  const reason = wordsIn(text);
  return reason === '' ? `answered ${status}` : `answered ${status}: ${reason}`;
}

function reasonIn(text: string, status: number): string {
  return wordsIn(text) || `answered ${status} and gave no reason`;
}

/** `reason` of a JSON object, else the text itself. */
function wordsIn(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'reason' in parsed)
      return words(String(parsed.reason));
  } catch {
    // It is text.
  }
  return words(text);
}

/** In one line, without what a terminal may obey. */
function words(text: string): string {
  return text
    .replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, TEXT_MAX);
}
