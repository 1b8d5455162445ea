/**
 * The parts of the protocol beyond its core that are really served, by the names that clients know. Not here: `sequence` (a
 * sequence stays with one version, and yet models that keep state are not served), `trace`, and both kinds of shared memory,
 * whose calls are answered and do nothing.
 */
export const EXTENSIONS = [
  'classification',
  'model_repository',
  'model_repository(unload_dependents)',
  'schedule_policy',
  'model_configuration',
  'binary_tensor_data',
  'parameters',
  'statistics',
  'logging',
] as const;
