const NAMES = [
  ...['abs', 'add', 'and3d', 'argmax_no_keepdims_random', 'averagepool_2d_default', 'ceil'],
  ...['cast_FLOAT_to_DOUBLE', 'cast_FLOAT_to_FLOAT16', 'celu_expanded', 'concat_3d_axis_1'],
  ...['depthtospace_example', 'det_nd', 'div', 'dropout_default', 'einsum_batch_matmul', 'erf'],
  ...[
    'elu',
    'equal',
    'exp',
    'flatten_axis1',
    'gather_elements_0',
    'globalaveragepool',
    'gridsample',
  ],
  ...['greater', 'hardmax_axis_1', 'hardswish_expanded', 'identity', 'isnan', 'leakyrelu'],
  ...['logsoftmax_axis_1', 'lrn', 'matmul_3d', 'max_float16', 'maxpool_2d_default', 'mean_example'],
  ...['mod_mixed_sign_float32', 'mul', 'nllloss_NC', 'not_3d', 'pow', 'reduce_l2_keep_dims_random'],
  ...['reduce_log_sum_exp_keepdims_random', 'reduce_max_do_not_keepdims_random', 'relu', 'round'],
  ...[
    'scatter_elements_with_axis',
    'selu',
    'sigmoid',
    'softmax_axis_1',
    'softplus',
    'spacetodepth',
  ],
  ...['sqrt', 'sub', 'tanh', 'thresholdedrelu', 'tril_square', 'where_example', 'xor3d'],
];

/** Of ONNX's models with free rows, those whose requests are to share runs. */
export const JOINED_TESTDATA: ReadonlySet<string> = new Set(
  NAMES.map((name) => `onnx_test_${name}`),
);
