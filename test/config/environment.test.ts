import t from 'tap';
import { readEnvironment } from '../../src/config/environment.ts';

t.test('an empty environment variable counts as absent', (t) => {
  t.same(
    readEnvironment({ UNDERSTUDY_CONFIG: '', NO_COLOR: '1', UNDERSTUDY_FEEDBACK_SECRET: 's' }),
    {
      configFile: undefined,
      admin: undefined,
      apiKey: undefined,
      feedbackSecret: 's',
      keyPepper: undefined,
      colour: 'never',
      runtime: {},
      otlp: {},
      webhookSecrets: {},
    },
  );
  t.end();
});

t.test('secrets of webhooks are those of their prefix, and models get none of them', (t) => {
  const read = readEnvironment({
    UNDERSTUDY_WEBHOOK_GATE: 's',
    UNDERSTUDY_WEBHOOKS: 'x',
    PATH: '/',
  });
  t.same(read.webhookSecrets, { UNDERSTUDY_WEBHOOK_GATE: 's' });
  t.same(read.runtime, {});
  t.end();
});

t.test('of the environment, models get what runtimes read and nothing else', (t) => {
  const passed = {
    LD_LIBRARY_PATH: '/opt/cuda/lib',
    CUDA_VISIBLE_DEVICES: '1',
    NVIDIA_TF32_OVERRIDE: '0',
    OMP_NUM_THREADS: '4',
    LANG: 'C.UTF-8',
    LC_ALL: 'C',
    TZ: 'UTC',
    TMPDIR: '/scratch',
  };
  const kept = {
    UNDERSTUDY_FEEDBACK_SECRET: 's',
    AWS_SECRET_ACCESS_KEY: 's',
    NODE_OPTIONS: '--inspect',
    LD_PRELOAD: 'x.so',
    LANGUAGE: 'de',
    XCUDA_: '1',
    HOME: '/root',
    CUDA_CACHE_PATH: '',
  };
  t.strictSame(readEnvironment({ ...kept, ...passed }).runtime, passed);
  t.end();
});
