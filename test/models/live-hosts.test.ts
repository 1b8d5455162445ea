import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { ServeError } from '../../src/core/errors.ts';
import type { Host } from '../../src/host/host.ts';
import {
  type Deployment,
  type DeploymentRole,
  deploymentKey,
  planDeployments,
} from '../../src/models/deployment.ts';
import { LiveHosts } from '../../src/models/live-hosts.ts';

const ROLES: readonly DeploymentRole[] = ['main', 'candidate', 'control'];

function aDeployment(version: string, role: DeploymentRole = 'main', build = 'b1'): Deployment {
  return { target: { model: 'fashion', version }, role, build, entry: undefined };
}

type Log = { readonly started: string[]; readonly closed: string[]; readonly became: string[] };

/** A host that answers nothing and remembers being closed, and what it became. */
function aHost(deployment: Deployment, { closed, became }: Log): Host {
  return {
    target: deployment.target,
    signature: { inputs: [], outputs: [] },
    form: () => ({ inputs: [], outputs: [] }),
    provider: () => ({ requested: ['cpu'], actual: 'cpu', fallbackReason: undefined }),
    joining: () => ({ kind: 'declared', doubt: undefined }),
    state: () => ({ kind: 'ready' }),
    inFlight: () => 0,
    become: ({ label = '', oomScoreAdj }) => {
      became.push(`${label.trimEnd()}, ${oomScoreAdj}`);
    },
    pid: () => undefined,
    infer: () => Promise.reject(new ServeError('internal', 'a host for deployments only')),
    close: async () => {
      closed.push(deploymentKey(deployment));
    },
  };
}

function liveHosts(): Log & { readonly live: LiveHosts } {
  const log: Log = { started: [], closed: [], became: [] };
  const live = new LiveHosts({
    startHost: async (deployment) => {
      if (deployment.target.version === 'broken')
        throw new ServeError('version_not_ready', 'no such file');
      await turn();
      log.started.push(deploymentKey(deployment));
      return aHost(deployment, log);
    },
    onInternalError: (operation, error) => {
      throw new Error(`${operation}: ${String(error)}`);
    },
  });
  return { live, ...log };
}

t.test('a deployment is loaded once however often it is asked for', async (t) => {
  const { live, started } = liveHosts();
  await Promise.all([
    live.prepare('fashion', [aDeployment('1')]),
    live.prepare('fashion', [aDeployment('1')]),
  ]);
  await live.prepare('fashion', [aDeployment('1')]);
  t.same(started, ['fashion/1/main/b1']);
});

// Promotion: the candidate's host becomes the main one. Loading it again would double its memory for nothing.
t.test('a promoted candidate keeps its host', async (t) => {
  const { live, started, closed, became } = liveHosts();
  await live.prepare('fashion', [
    aDeployment('1'),
    aDeployment('2', 'candidate'),
    aDeployment('1', 'control'),
  ]);
  const host = live.find({ model: 'fashion', version: '2' }, 'candidate');
  await live.prepare('fashion', [aDeployment('2')]);
  t.equal(live.find({ model: 'fashion', version: '2' }, 'stable'), host);
  t.same(closed, [], 'nothing is closed before the route has changed');
  t.same(became, ['fashion/2 main, 0'], 'and is no more in line to be killed');
  void live.reconcile('fashion', [aDeployment('2')]);
  await live.close();
  t.equal(started.length, 3);
  t.same(closed.slice(0, 2).sort(), ['fashion/1/control/b1', 'fashion/1/main/b1']);
});

t.test('a fault is reported once nothing loads any more, so that all can be closed', async (t) => {
  const { live, closed } = liveHosts();
  const wanted = [aDeployment('broken'), aDeployment('1'), aDeployment('2', 'candidate')];
  await t.rejects(live.prepare('fashion', wanted), { message: 'no such file' });
  await live.reconcile('fashion', [aDeployment('1')]);
  t.same(closed, ['fashion/2/candidate/b1']);
});

t.test('a version that cannot be loaded leaves the others at work', async (t) => {
  const { live } = liveHosts();
  await live.prepare('fashion', [aDeployment('1')]);
  await t.rejects(live.prepare('fashion', [aDeployment('1'), aDeployment('broken', 'candidate')]), {
    message: 'no such file',
  });
  t.ok(live.find({ model: 'fashion', version: '1' }, 'stable'));
  t.equal(live.find({ model: 'fashion', version: 'broken' }, 'candidate'), undefined);
});

// A package was replaced: its new build is loaded while the old one keeps answering.
t.test('a new build waits next to the old one until it can replace it', async (t) => {
  const { live, started, closed } = liveHosts();
  const target = { model: 'fashion', version: '1' };
  await live.prepare('fashion', [aDeployment('1')]);
  const old = live.find(target, 'stable');
  await live.prepare('fashion', [aDeployment('1', 'main', 'b2')]);
  t.equal(live.find(target, 'stable'), old, 'no traffic is routed to the new one yet');
  t.same(started, ['fashion/1/main/b1', 'fashion/1/main/b2']);
  const closing = live.reconcile('fashion', [aDeployment('1', 'main', 'b2')]);
  t.not(live.find(target, 'stable'), old, 'from here on the new one answers');
  await closing;
  t.same(closed, ['fashion/1/main/b1']);
});

t.test(
  'a build that is not wanted in the end is closed, and the old one never noticed',
  async (t) => {
    const { live, closed } = liveHosts();
    await live.prepare('fashion', [aDeployment('1')]);
    const old = live.find({ model: 'fashion', version: '1' }, 'stable');
    await live.prepare('fashion', [aDeployment('1', 'main', 'b2')]);
    await live.reconcile('fashion', [aDeployment('1')]);
    t.same(closed, ['fashion/1/main/b2']);
    t.equal(live.find({ model: 'fashion', version: '1' }, 'stable'), old);
  },
);

t.test('why a version could not be loaded is known for as long as it is wanted', async (t) => {
  const { live } = liveHosts();
  const target = { model: 'fashion', version: 'broken' };
  const wanted = [aDeployment('1'), aDeployment('broken')];
  await live.prepare('fashion', wanted, {
    may: (deployment) => deployment.target.version === 'broken',
  });
  t.equal(live.fault(target), 'no such file');
  t.ok(live.find({ model: 'fashion', version: '1' }, 'stable'));
  await live.reconcile('fashion', wanted);
  t.equal(live.fault(target), 'no such file');
  await live.reconcile('fashion', [aDeployment('1')]);
  t.equal(live.fault(target), undefined);
});

t.test(
  'an arm without a deployment of its own is answered by another deployment of its version',
  async (t) => {
    const { live } = liveHosts();
    await live.prepare('fashion', [aDeployment('1')]);
    t.ok(live.find({ model: 'fashion', version: '1' }, 'control'));
    t.equal(live.find({ model: 'fashion', version: '2' }, 'stable'), undefined);
  },
);

t.test(
  'any plan ends with just the wanted deployments and loads no build that sits idle',
  async () => {
    const deployments = fc.uniqueArray(
      fc
        .tuple(
          fc.constantFrom('1', '2', '3'),
          fc.constantFrom(...ROLES),
          fc.constantFrom('b1', 'b2'),
        )
        .map(([version, role, build]) => aDeployment(version, role, build)),
      { selector: deploymentKey },
    );
    fc.assert(
      fc.property(deployments, deployments, (wanted, present) => {
        const plan = planDeployments(wanted, present);
        const after = new Set(present.map(deploymentKey));
        for (const { from, to } of plan.moves) {
          if (!after.delete(deploymentKey(from)))
            throw new Error('moved a deployment that was not there');
          after.add(deploymentKey(to));
        }
        for (const deployment of plan.loads) after.add(deploymentKey(deployment));
        for (const deployment of plan.drops) after.delete(deploymentKey(deployment));
        const nameOf = ({ target, build }: Deployment) => `${target.version}/${build}`;
        const idle = new Set(plan.drops.map(nameOf));
        return (
          after.size === wanted.length &&
          wanted.every((deployment) => after.has(deploymentKey(deployment))) &&
          plan.loads.every((deployment) => !idle.has(nameOf(deployment)))
        );
      }),
    );
  },
);

/** A live whose loads end only by being given up, and the signals that do. */
function aHangingFleet() {
  const signals: AbortSignal[] = [];
  const live = new LiveHosts({
    startHost: (_, signal) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('ended by force')));
      });
    },
    onInternalError: (operation, error) => {
      throw new Error(`${operation}: ${String(error)}`);
    },
  });
  return { live, signals };
}

t.test('a load is given up once it is not wanted, and that is no fault of it', async (t) => {
  const { live, signals } = aHangingFleet();
  const [first, second] = [new AbortController(), new AbortController()];
  const target = { model: 'fashion', version: '1' };
  const loads = [first, second].map(({ signal }) =>
    live.prepare('fashion', [aDeployment('1')], { signal }),
  );
  for (const load of loads) load.catch(() => undefined);
  await turn();
  t.equal(live.isLoading(target), true);
  first.abort();
  t.equal(signals[0]?.aborted, false, 'another change waits for it');
  second.abort();
  for (const load of loads) await t.rejects(load, { message: 'ended by force' });
  t.equal(live.fault(target), undefined);
  t.equal(live.isLoading(target), false);
});

t.test('closing waits for no load that hangs, and nothing is loaded after', async (t) => {
  const { live } = aHangingFleet();
  const loading = live.prepare('fashion', [aDeployment('1')]);
  loading.catch(() => undefined);
  await turn();
  await live.close();
  await t.rejects(loading, { message: 'ended by force' });
  await t.rejects(live.prepare('fashion', [aDeployment('2')]), { code: 'version_not_ready' });
});
