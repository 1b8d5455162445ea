import t from 'tap';
import { providerText } from '../../src/core/provider.ts';

t.test('a provider is named, and why it is not the one asked for', async (t) => {
  t.equal(providerText({ requested: ['cuda'], actual: 'cuda', fallbackReason: undefined }), 'cuda');
  t.equal(
    providerText({ requested: ['cuda'], actual: 'cpu', fallbackReason: 'cuda: no device' }),
    'cpu, because cuda cannot be had (cuda: no device)',
  );
});
