import type { Gateway } from './gateway.ts';

/** Whether a model's stable version answers. False too for a model that is unknown, or whose route leads to a version that is gone. */
export function isModelReady(gateway: Pick<Gateway, 'modelReadiness'>, model: string): boolean {
  try {
    return gateway.modelReadiness(model).ready;
  } catch {
    return false;
  }
}
