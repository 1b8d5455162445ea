/** The documents that cases are taken from, by short names. */
export const REST = 'OIP inference_rest.md';
export const GRPC = 'OIP inference_grpc.md';
export const BINARY = 'Triton extension_binary_data.md';
export const CLASSIFICATION = 'Triton extension_classification.md';
export const STATISTICS = 'Triton extension_statistics.md';
export const REPOSITORY = 'Triton extension_model_repository.md';
export const CONFIGURATION = 'Triton extension_model_configuration.md';
export const PARAMETERS = 'Triton extension_parameters.md';
export const SHARED_MEMORY = 'Triton extension_shared_memory.md';
export const TRACE = 'Triton extension_trace.md';
export const LOGGING = 'Triton extension_logging.md';
export const TRITON_GRPC = 'Triton grpc_service.proto';
export const HEALTH = 'grpc.health.v1 health.proto';
