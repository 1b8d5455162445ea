/** What can go wrong with a version on trial, and the trial in which it does. */
import type { Version } from './models.ts';

export type Role = 'candidate' | 'control' | 'shadow';

export type Fault = {
  readonly name: string;
  /** Who is at fault. */
  readonly role: Role;
  readonly candidate: Version;
  /** What is done to the processes of that role; `none`: the build is fault enough. */
  readonly does: 'kill' | 'stop' | 'none';
};

/** The order is that of the table. */
export const FAULTS: readonly Fault[] = [
  { name: 'candidate, killed again and again', role: 'candidate', candidate: '2', does: 'kill' },
  { name: 'candidate, stopped', role: 'candidate', candidate: '2', does: 'stop' },
  { name: 'candidate, slower than the deadline', role: 'candidate', candidate: '3', does: 'none' },
  { name: 'candidate, answers a scalar', role: 'candidate', candidate: '4', does: 'none' },
  { name: 'candidate, answers twice the rows', role: 'candidate', candidate: '5', does: 'none' },
  { name: 'control, killed again and again', role: 'control', candidate: '2', does: 'kill' },
  { name: 'control, stopped', role: 'control', candidate: '2', does: 'stop' },
  { name: 'shadow, killed again and again', role: 'shadow', candidate: '2', does: 'kill' },
  { name: 'shadow, stopped', role: 'shadow', candidate: '2', does: 'stop' },
  { name: 'shadow, slower than the deadline', role: 'shadow', candidate: '3', does: 'none' },
  { name: 'shadow, answers a scalar', role: 'shadow', candidate: '4', does: 'none' },
  { name: 'shadow, answers twice the rows', role: 'shadow', candidate: '5', does: 'none' },
];

/** A rollout that wants more evidence than there will be: it ends by the fault alone. */
export function requestFor({ role, candidate }: Fault): Readonly<Record<string, unknown>> {
  const claim = { analysis: { metrics: [role === 'shadow' ? 'pairedErrors' : 'errors'] } };
  const exposure =
    role === 'shadow'
      ? { setMirror: { percentage: 100, twin: 20 } }
      : { setWeight: { percent: role === 'control' ? 50 : 40, control: true } };
  return {
    candidate,
    intent: 'equivalent',
    minRequests: 1_000_000,
    margins: { pairedErrors: 0.0001 },
    steps: [exposure, claim, 'promote'],
  };
}
