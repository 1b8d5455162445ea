import type { Command } from 'commander';
import { withOutput } from './shared-options.ts';

/** Adds `understudy labels import`. */
export function addLabelsImport(labels: Command): void {
  withOutput(
    labels
      .command('import <file>')
      .description(
        'send the labels of a file: CSV with the header id,label or token,label, or JSON lines',
      )
      .option('--url <url>', 'address of the data plane', 'http://127.0.0.1:8000')
      .option('--model <model>', 'model of the requests, where lines have ids and name none')
      .option(
        '--api-key-file <file>',
        'file with an API key or a token (default: UNDERSTUDY_API_KEY)',
      )
      .option('--ca-file <file>', 'authorities to trust, in PEM, for an https address')
      .option('--client-cert <file>', 'client certificate, in PEM')
      .option('--client-key <file>', 'its private key, in PEM')
      .option('--allow-plaintext', 'send the key to another machine without TLS'),
  ).action(async (file, options) =>
    (await import('../labels-import.ts')).importLabels(file, options),
  );
}
