import type { Command } from 'commander';

/** Adds `understudy bench run|sweep|compare|slo|soak`. What they do is loaded only when one of them is asked for. */
export function addBenchCommands(program: Command): void {
  const bench = program
    .command('bench')
    .description('load a model server and measure it: ours, or any other of the protocol');
  const modes = async () => import('./bench.ts');

  withLoad(bench.command('run').description('one load, reported'))
    .option('--rate <rate>', 'requests a second: 500, 100..1000 (ramp) or 100@10s,500@10s (steps)')
    .option('--arrivals <kind>', ARRIVALS, 'poisson')
    .option('--concurrency <requests>', 'so many requests in flight, each waiting for its answer')
    .option('--duration <time>', 'how long is measured', '30s')
    .action(async (options) => (await modes()).benchRun(options));

  withLoad(bench.command('sweep').description('latency and throughput over the offered load'))
    .option('--loads <list>', 'offered loads as parts of the capacity that is found', LOADS)
    .option('--duration <time>', 'how long is measured at each load', '10s')
    .action(async (options) => (await modes()).benchSweep(options));

  withLoad(bench.command('compare').description('A against B, in interleaved blocks'))
    .option('--b-url <url>', "B's server (default: A's)")
    .option('--b-model <model>', "B's model (default: A's)")
    .option(
      '--b-model-version <version>',
      "B's version (default: A's, or as the server chooses for another model)",
    )
    .option('--b-protocol <protocol>', "B's protocol (default: A's, if the address allows)")
    .option('--rate <rate>', 'requests a second, as for run')
    .option('--arrivals <kind>', ARRIVALS, 'poisson')
    .option('--concurrency <requests>', 'so many requests in flight, each waiting for its answer')
    .option('--rounds <rounds>', 'rounds of A, B and A again', '9')
    .option('--duration <time>', 'how long is measured in each block', '5s')
    .option('--confidence <level>', 'of the intervals', '0.95')
    .action(async (options) => (await modes()).benchCompare(options));

  withLoad(bench.command('slo').description('the highest rate that keeps a latency, with proof'))
    .requiredOption('--within <time>', 'the latency to keep')
    .option('--quantile <share>', 'the share of requests that must keep it', '0.99')
    .option('--confidence <level>', 'of the proof', '0.99')
    .option('--from <rate>', 'requests a second that the search begins with')
    .option('--duration <time>', 'how long is measured in a proof, at least', '30s')
    .action(async (options) => (await modes()).benchSlo(options));

  withLoad(bench.command('soak').description('a long load: does anything drift?'))
    .option('--rate <rate>', 'requests a second, as for run')
    .option('--arrivals <kind>', ARRIVALS, 'poisson')
    .option('--duration <time>', 'how long is measured', '1h')
    .option('--watch-pid <pid>', 'watch the memory of this process on this machine, children too')
    .action(async (options) => (await modes()).benchSoak(options));
}

const ARRIVALS = 'poisson, constant, bursty, bursty:<shape> or recorded:<file>';
const LOADS = '0.1,0.25,0.5,0.7,0.8,0.9,1,1.1,1.25,1.5,2,3';

/** The options that every mode takes: what is asked, how, with what, and where the reports go. */
function withLoad(command: Command): Command {
  return command
    .requiredOption('-m, --model <model>', 'the model to ask')
    .option('-u, --url <url>', 'http, https, grpc or grpcs address', 'http://127.0.0.1:8000')
    .option('--model-version <version>', 'a version (default: as the server chooses)')
    .option(
      '--protocol <protocol>',
      'rest-json, rest-binary, grpc or grpc-stream (default: REST binary, or gRPC)',
    )
    .option('-H, --header <header>', 'name: value; may be given again', collect)
    .option('--batch <rows>', 'rows in each synthetic request', '1')
    .option(
      '--shape <input:dims>',
      "an input's free dimensions, as in image:3,224,224; may be given again",
      collect,
    )
    .option('--samples <requests>', 'different requests, sent in turn', '32')
    .option('--input-data <file>', 'inputs from a JSON file, as perf_analyzer has them')
    .option('--images <folder>', 'inputs from the images of a folder')
    .option('--image-range <range>', 'what pixels become: 0..1 (default of floats) or 0..255')
    .option('--check', 'check each answer against what is expected, or against the first one')
    .option(
      '--tolerance <number>',
      'how far off, relative and absolute, a checked number may be',
      '0.001',
    )
    .option('--deadline <time>', 'an answer later than this is not good', '1s')
    .option('--timeout <time>', 'an answer that has not come by then is given up', '30s')
    .option('--warmup <time>', 'before each load: sent and shown, but not measured', '1s')
    .option(
      '--in-flight <requests>',
      'max concurrent requests; queueing counts towards latency',
      '1024',
    )
    .option('--connections <number>', 'of gRPC, shared by all calls', '4')
    .option('--processes <number>', 'generator processes', '1')
    .option(
      '--seed <number>',
      'of arrivals and inputs (default: a new one, which the report tells)',
    )
    .option('--out <folder>', 'write report.html, report.json and report.csv there')
    .option('-o, --output <format>', 'json or text', 'text');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
