import type { Command } from 'commander';
import { FORMATS_TEXT } from '../output.ts';

/** Adds `understudy bench run|sweep|compare|slo|soak`. What they do is loaded only when one of them is asked for. */
export function addBenchCommands(program: Command): void {
  const bench = program
    .command('bench')
    .description('load-test any server of the Open Inference Protocol');
  const modes = async () => import('./bench.ts');

  withLoad(bench.command('run').description('measure one load'))
    .option(
      '--rate <rate>',
      'requests per second (open loop): 500, 100..1000 (ramp) or 100@10s,500@10s (steps)',
    )
    .option('--arrivals <kind>', ARRIVALS, 'poisson')
    .option('--concurrency <requests>', CONCURRENCY)
    .option('--duration <time>', 'measured time', '30s')
    .action(async (options) => (await modes()).benchRun(options));

  withLoad(
    bench.command('sweep').description('measure latency and throughput over the offered load'),
  )
    .option('--loads <list>', 'offered loads, as shares of the measured capacity', LOADS)
    .option('--duration <time>', 'measured time per load', '10s')
    .action(async (options) => (await modes()).benchSweep(options));

  withLoad(bench.command('compare').description('compare A with B, in interleaved blocks'))
    .option('--b-url <url>', "B's server (default: A's)")
    .option('--b-model <model>', "B's model (default: A's)")
    .option(
      '--b-model-version <version>',
      "B's version (default: A's, or the server's choice for another model)",
    )
    .option('--b-protocol <protocol>', "B's protocol (default: A's, if the address allows)")
    .option('--rate <rate>', 'requests per second, as for run')
    .option('--arrivals <kind>', ARRIVALS, 'poisson')
    .option('--concurrency <requests>', CONCURRENCY)
    .option('--rounds <rounds>', 'rounds of A, B and A; at least 3', '9')
    .option('--duration <time>', 'measured time per block', '5s')
    .option('--confidence <level>', 'confidence level of the intervals', '0.95')
    .action(async (options) => (await modes()).benchCompare(options));

  withLoad(bench.command('slo').description('find and prove the highest rate that keeps a latency'))
    .requiredOption('--within <time>', 'latency objective')
    .option('--quantile <share>', 'share of requests that must meet the objective', '0.99')
    .option('--confidence <level>', 'confidence level of the proof', '0.99')
    .option('--from <rate>', 'requests per second to start at (default: half the closed-loop rate)')
    .option('--duration <time>', 'min measured time of a proof', '30s')
    .action(async (options) => (await modes()).benchSlo(options));

  withLoad(bench.command('soak').description('run a long load and test it for drift'))
    .option('--rate <rate>', 'requests per second, as for run')
    .option('--arrivals <kind>', ARRIVALS, 'poisson')
    .option('--duration <time>', 'measured time', '1h')
    .option(
      '--watch-pid <pid>',
      'process on this machine to watch the memory of, with its children',
    )
    .action(async (options) => (await modes()).benchSoak(options));
}

const CONCURRENCY = 'requests in flight (closed loop), in place of a rate; as -c of wrk';
const ARRIVALS = 'poisson, constant, bursty, bursty:<shape> or recorded:<file>';
const LOADS = '0.1,0.25,0.5,0.7,0.8,0.9,1,1.1,1.25,1.5,2,3';

/** The options that every mode takes: what is asked, how, with what, and where the reports go. */
function withLoad(command: Command): Command {
  return command
    .requiredOption('-m, --model <model>', 'model name')
    .option('-u, --url <url>', 'http, https, grpc or grpcs address', 'http://127.0.0.1:8000')
    .option('--model-version <version>', "model version (default: the server's choice)")
    .option(
      '--protocol <protocol>',
      'rest-json, rest-binary, grpc or grpc-stream (default: REST binary, or gRPC)',
    )
    .option('-H, --header <header>', 'request header, as name: value; repeatable', collect)
    .option('--api-key-file <file>', 'file with an API key or a token to send as bearer')
    .option('--allow-plaintext', 'send the key to another machine without TLS')
    .option('--ca-file <file>', 'authorities to trust, in PEM; as --cacert of curl')
    .option('--client-cert <file>', 'client certificate, in PEM; as --cert of curl')
    .option('--client-key <file>', 'its private key, in PEM; as --key of curl')
    .option('-k, --insecure', 'take any server certificate; as -k of curl')
    .option('--batch <rows>', 'rows per synthetic request; as -b of perf_analyzer', '1')
    .option(
      '--shape <input:dims>',
      "an input's free dimensions, as in image:3,224,224; repeatable; as --shape of perf_analyzer",
      collect,
    )
    .option('--samples <requests>', 'number of distinct requests, sent in turn', '32')
    .option('--input-data <file>', 'inputs from a JSON file in the form of perf_analyzer')
    .option('--images <folder>', 'inputs from the images of a folder')
    .option('--image-range <range>', 'range of pixel values: 0..1 (default for floats) or 0..255')
    .option(
      '--check',
      'check each answer against the expected one, or the first to the same request',
    )
    .option(
      '--tolerance <number>',
      'max deviation of a checked number, relative and absolute',
      '0.001',
    )
    .option('--deadline <time>', 'latency above which an answer is not good', '1s')
    .option(
      '--timeout <time>',
      'max time for an answer, from its sending; as -timeout of vegeta',
      '30s',
    )
    .option('--warmup <time>', 'time before each load that is sent but not measured', '1s')
    .option(
      '--in-flight <requests>',
      'max concurrent requests; queueing counts towards latency; as maxVUs of k6',
      '1024',
    )
    .option(
      '--connections <number>',
      'gRPC connections, shared by all calls; as --connections of ghz',
      '4',
    )
    .option('--processes <number>', 'generator processes', '1')
    .option('--seed <number>', 'seed of arrivals and inputs (default: random, shown in the report)')
    .option('--out <folder>', 'folder to write report.html, report.json and report.csv to')
    .option('-o, --output <format>', FORMATS_TEXT, 'table');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
