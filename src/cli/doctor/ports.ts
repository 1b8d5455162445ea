import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Address } from '../../config/quantities.ts';
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../core/errors.ts';
import type { Finding } from '../findings.ts';

/** `gateway`: the process that writes to the ledger, whose ports are as they should be. */
export async function portFindings(
  { server }: Pick<Config, 'server'>,
  gateway: number | undefined,
): Promise<readonly Finding[]> {
  const { http, grpc, admin, metrics } = server;
  const ports = Object.entries({ http, grpc, admin, ...(metrics && { metrics }) });
  return Promise.all(ports.map(([name, address]) => portFinding(name, address, gateway)));
}

async function portFinding(
  name: string,
  { host, port }: Address,
  gateway: number | undefined,
): Promise<Finding> {
  const subject = `port ${port}`;
  const where = `server.${name}, ${host}:${port}`;
  const problem = await whyNotListening(host, port);
  if (problem === undefined) return { level: 'ok', subject, message: `free (${where})` };
  if (!problem.isTaken) {
    const fix = `Set server.${name} to an address of this machine that may be used.`;
    return { level: 'fail', subject, message: `${problem.why} (${where})`, fix };
  }
  const owner = await listenerOf(port);
  if (owner !== undefined && owner.pid === gateway)
    return {
      level: 'ok',
      subject,
      message: `in use by the running gateway, process ${gateway} (${where})`,
    };
  const by =
    owner === undefined
      ? 'a process of another user or container'
      : `process ${owner.pid}, ${owner.command}`;
  const fix = `Stop it, or set server.${name} to another port.`;
  return { level: 'fail', subject, message: `taken by ${by} (${where})`, fix };
}

type Refused = { readonly isTaken: boolean; readonly why: string };

/** Listens for a moment. */
function whyNotListening(host: string, port: number): Promise<Refused | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => {
      const code = 'code' in error ? error.code : undefined;
      resolve({ isTaken: code === 'EADDRINUSE', why: messageOf(error) });
    });
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

type Owner = { readonly pid: number; readonly command: string };

/** The process that listens on a port of this machine, where /proc says so; undefined: not known. */
async function listenerOf(port: number): Promise<Owner | undefined> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (!(await holdsOne(pid, inodes))) continue;
    const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    return { pid: Number(pid), command: command.trim() };
  }
  return undefined;
}

/** State 0A is LISTEN; the port is in hex after the address. */
function listeningInodes(table: string, port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const isListening = fields[3] === '0A' && fields[1]?.endsWith(`:${hex}`);
    return isListening === true && fields[9] !== undefined ? [fields[9]] : [];
  });
}

async function holdsOne(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const target = await readlink(`${folder}/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}
