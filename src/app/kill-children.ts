import { killLiving } from '../host/children.ts';

/** Ends all child processes immediately: for a process that is about to end by force. */
export function killChildren(): void {
  killLiving();
}
