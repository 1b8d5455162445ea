import protobuf from 'protobufjs';
import t from 'tap';

import { PROTOS } from './builders.ts';

/** The protocol's field numbers: with a wrong one no client understands the server. */
const NUMBERS: Readonly<Record<string, string>> = {
  ModelInferRequest:
    'model_name 1, model_version 2, id 3, parameters 4, inputs 5, outputs 6, raw_input_contents 7',
  'ModelInferRequest.InferInputTensor': 'name 1, datatype 2, shape 3, parameters 4, contents 5',
  'ModelInferRequest.InferRequestedOutputTensor': 'name 1, parameters 2',
  ModelInferResponse:
    'model_name 1, model_version 2, id 3, parameters 4, outputs 5, raw_output_contents 6',
  'ModelInferResponse.InferOutputTensor': 'name 1, datatype 2, shape 3, parameters 4, contents 5',
  ModelStreamInferResponse: 'error_message 1, infer_response 2',
  InferParameter: 'bool_param 1, int64_param 2, string_param 3, double_param 4, uint64_param 5',
  InferTensorContents:
    'bool_contents 1, int_contents 2, int64_contents 3, uint_contents 4, uint64_contents 5, fp32_contents 6, fp64_contents 7, bytes_contents 8',
  ServerMetadataResponse: 'name 1, version 2, extensions 3',
  ModelMetadataResponse: 'name 1, versions 2, platform 3, inputs 4, outputs 5, properties 6',
  'ModelMetadataResponse.TensorMetadata': 'name 1, datatype 2, shape 3',
  ModelReadyRequest: 'name 1, version 2',
  ModelStatistics:
    'name 1, version 2, last_inference 3, inference_count 4, execution_count 5, inference_stats 6, batch_stats 7, memory_usage 8, response_stats 9',
  InferStatistics:
    'success 1, fail 2, queue 3, compute_input 4, compute_infer 5, compute_output 6, cache_hit 7, cache_miss 8',
  StatisticDuration: 'count 1, ns 2',
  'RepositoryIndexResponse.ModelIndex': 'name 1, version 2, state 3, reason 4',
  RepositoryModelLoadRequest: 'repository_name 1, model_name 2, parameters 3',
  ModelRepositoryParameter: 'bool_param 1, int64_param 2, string_param 3, bytes_param 4',
  'LogSettingsRequest.SettingValue': 'bool_param 1, uint32_param 2, string_param 3',
  SystemSharedMemoryRegisterRequest: 'name 1, key 2, offset 3, byte_size 4',
  CudaSharedMemoryRegisterRequest: 'name 1, raw_handle 2, device_id 3, byte_size 4',
  ModelConfig:
    'name 1, platform 2, version_policy 3, max_batch_size 4, input 5, output 6, instance_group 7, default_model_filename 8, cc_model_filenames 9, metric_tags 10, dynamic_batching 11, optimization 12, sequence_batching 13, parameters 14, ensemble_scheduling 15, model_warmup 16, backend 17, model_operations 18, model_transaction_policy 19, batch_input 20, batch_output 21, model_repository_agents 23, response_cache 24, runtime 25, model_metrics 26',
  ModelInput:
    'name 1, data_type 2, format 3, dims 4, reshape 5, is_shape_tensor 6, allow_ragged_batch 7, optional 8, is_non_linear_format_io 9',
  ModelOutput:
    'name 1, data_type 2, dims 3, label_filename 4, reshape 5, is_shape_tensor 6, is_non_linear_format_io 7',
  ModelDynamicBatching:
    'preferred_batch_size 1, max_queue_delay_microseconds 2, preserve_ordering 3, priority_levels 4, default_priority_level 5, default_queue_policy 6, priority_queue_policy 7',
  ModelInstanceGroup:
    'name 1, count 2, gpus 3, kind 4, profile 5, rate_limiter 6, passive 7, secondary_devices 8, host_policy 9',
};

const DATATYPES =
  'TYPE_INVALID 0, TYPE_BOOL 1, TYPE_UINT8 2, TYPE_UINT16 3, TYPE_UINT32 4, TYPE_UINT64 5, TYPE_INT8 6, TYPE_INT16 7, TYPE_INT32 8, TYPE_INT64 9, TYPE_FP16 10, TYPE_FP32 11, TYPE_FP64 12, TYPE_STRING 13, TYPE_BF16 14';

const root = new protobuf.Root();
root.resolvePath = (_, target) => `${PROTOS}/${target.split('/').at(-1)}`;
root.loadSync('grpc_service.proto', { keepCase: true });

t.test('fields have the numbers that clients were built with', async (t) => {
  for (const [message, numbers] of Object.entries(NUMBERS)) {
    const { fieldsArray } = root.lookupType(`inference.${message}`);
    const found = fieldsArray.map(({ name, id }) => ({ name, id })).sort((a, b) => a.id - b.id);
    t.equal(found.map(({ name, id }) => `${name} ${id}`).join(', '), numbers, message);
  }
  const { values } = root.lookupEnum('inference.DataType');
  const datatypes = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  t.equal(datatypes.join(', '), DATATYPES);
});
