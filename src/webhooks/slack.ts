import type { WebhookEvent, WebhookEventName } from '../core/webhook.ts';

/** The limits of Slack's blocks, in characters. */
const HEADER_MAX = 150;
const SECTION_MAX = 3_000;

/** The body of an incoming webhook: `text` for notifications, and blocks for the channel. */
export type SlackMessage = {
  readonly text: string;
  readonly blocks: readonly (
    | {
        readonly type: 'header';
        readonly text: { readonly type: 'plain_text'; readonly text: string };
      }
    | { readonly type: 'section'; readonly text: Markdown }
    | { readonly type: 'context'; readonly elements: readonly Markdown[] }
  )[];
};

type Markdown = { readonly type: 'mrkdwn'; readonly text: string };

const MARKS: Readonly<Partial<Record<WebhookEventName, string>>> = {
  paused: '\u23f8\ufe0f ',
  promoted: '\u2705 ',
  holdback: '\u2705 ',
  rolledBack: '\u26a0\ufe0f ',
  undone: '\u26a0\ufe0f ',
  aborted: '\u26a0\ufe0f ',
  ledgerDegraded: '\u26a0\ufe0f ',
};

/** An event as a message for a channel. */
export function slackMessageOf(event: WebhookEvent): SlackMessage {
  const head = headOf(event);
  return {
    text: escaped(`${head}: ${event.why}`).slice(0, SECTION_MAX),
    blocks: [
      {
        type: 'header',
        text: {
          type: 'plain_text',
          text: `${MARKS[event.event] ?? ''}${head}`.slice(0, HEADER_MAX),
        },
      },
      { type: 'section', text: markdown(escaped(event.why) || 'no reason given') },
      { type: 'context', elements: [markdown(escaped(contextOf(event)))] },
    ],
  };
}

/** `fashion 2: rolledBack`. */
function headOf({ event, model, rollout }: WebhookEvent): string {
  const about = rollout === undefined ? model : `${rollout.model} ${rollout.candidate}`;
  return about === undefined ? `gateway: ${event}` : `${about}: ${event}`;
}

function contextOf({ rollout, record, atMs }: WebhookEvent): string {
  const parts = [new Date(atMs).toISOString()];
  if (rollout !== undefined) parts.push(`rollout ${rollout.id}, stable ${rollout.stable}`);
  if (rollout?.step !== undefined)
    parts.push(`step ${rollout.step.number} of ${rollout.step.of}: ${rollout.step.task}`);
  if (record !== undefined) parts.push(`record ${record}`);
  return parts.join(' | ');
}

function markdown(text: string): Markdown {
  return { type: 'mrkdwn', text: text.slice(0, SECTION_MAX) };
}

/** The three characters that Slack reads as its own: a name cannot become a link or a mention. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
