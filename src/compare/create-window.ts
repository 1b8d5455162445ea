import { EvidenceWindow } from './evidence-window.ts';
import { EvidenceWindow as EvidenceWindow1 } from './rules-1/evidence-window.ts';
import type { Window, WindowOptions } from './window.ts';

/** A window that resumes from `from`, under the rules of its rollout. */
export function createWindow(options: WindowOptions): Window {
  return options.rules === 1 ? new EvidenceWindow1(options) : new EvidenceWindow(options);
}
