import { until } from '../support/until.ts';
import type { RunningGateway } from './a-gateway.ts';

/** Starts a rollout of version 2 of the shipped model, and waits for its first decision. Throws where it is refused. */
export async function startRollout({ adminPort }: RunningGateway): Promise<void> {
  const url = `http://127.0.0.1:${adminPort}/api/v1/models/fashion/rollout`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ candidate: '2' }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  await until('the first step of the rollout', async () => {
    const status = await fetch(url).then((found) => found.text());
    return status.includes('"progressing"');
  });
}
