import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProxyPorts, SplitProxy } from './proxy.ts';

const run = promisify(execFile);

/** http://nginx.org/en/docs/http/ngx_http_mirror_module.html and ngx_http_split_clients_module.html */
export const nginx: SplitProxy = {
  name: 'nginx',
  find: async () => {
    const { stderr } = await run('nginx', ['-v']).catch(() => {
      throw new Error('there is no nginx here; a package manager has it');
    });
    return {
      versions: [/nginx\/\S+/.exec(stderr)?.[0] ?? stderr.trim()],
      command: async (folder, ports) => {
        await mkdir(folder, { recursive: true });
        const file = join(folder, 'nginx.conf');
        await writeFile(file, configOf(ports));
        return {
          argv: ['nginx', '-e', 'stderr', '-p', folder, '-c', file],
          environment: { PATH: '/usr/sbin:/usr/local/sbin:/usr/bin:/bin' },
        };
      },
    };
  },
};

function configOf({ live, other, plain, split, mirror }: ProxyPorts): string {
  const upstream = (name: string, port: number): string =>
    `upstream ${name} { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000; }`;
  const server = (port: number, locations: string): string =>
    `server { listen 127.0.0.1:${port}; ${locations} }`;
  const copy = `location = /copy { internal; proxy_pass http://other$request_uri; }`;
  return `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000;
  client_body_buffer_size 64k;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  ${upstream('live', live)}
  ${upstream('other', other)}
  split_clients "$request_id" $half { 50% live; * other; }
  ${server(plain, 'location / { proxy_pass http://live; }')}
  ${server(split, 'location / { proxy_pass http://$half; }')}
  ${server(mirror, `location / { mirror /copy; proxy_pass http://live; } ${copy}`)}
}
`;
}
