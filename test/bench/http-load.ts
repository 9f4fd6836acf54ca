import { spawn, type ChildProcess } from 'node:child_process';
import { Agent, request } from 'node:http';
import { packagePath } from '../../platform/package-path.js';

/** Where requests go, and with which key. */
export interface Target {
  readonly port: number;
  readonly key: string;
}

export interface LoadedServer extends Target {
  stop(): Promise<void>;
}

export async function startServer(kind: string, path = ''): Promise<LoadedServer> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', packagePath('test', 'bench', 'server.ts'), kind, path],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const line = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('\n')) resolve(output);
    });
    child.on('exit', (code) => {
      reject(new Error(`the ${kind} server ended with ${String(code)}`));
    });
  });
  const [port, key = ''] = line.trim().split(' ');
  return {
    port: Number(port),
    key,
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit');
        child.on('exit', () => {
          resolve();
        });
        child.kill('SIGKILL');
      }),
  };
}

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Buffer;
  readonly type?: string;
}

const agents = new Map<number, Agent>();

/** One request to its end; throws unless the answer is a success, so that no bench measures refusals. */
export function send({ port, key }: Target, call: Call, inFlight: number): Promise<void> {
  const agent = agents.get(port) ?? new Agent({ keepAlive: true, maxSockets: inFlight });
  agents.set(port, agent);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        port,
        host: '127.0.0.1',
        method: call.method,
        path: call.path,
        headers: {
          authorization: `Bearer ${key}`,
          ...(call.body === undefined
            ? {}
            : { 'content-type': call.type ?? 'application/json', 'content-length': call.body.length }),
        },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => {
          if ((answer.statusCode ?? 500) < 300) resolve();
          else reject(new Error(`${call.path} answered ${String(answer.statusCode)}`));
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(call.body);
  });
}

/** Closed loop: `inFlight` callers, each sending its next request when the last is answered. Answers per second. */
export async function throughput(
  server: Target,
  calls: readonly Call[],
  { inFlight, forMs }: { inFlight: number; forMs: number },
): Promise<number> {
  const until = performance.now() + forMs;
  let sent = 0;
  const started = performance.now();
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const call = calls[sent % calls.length];
      sent += 1;
      if (call !== undefined) await send(server, call, inFlight);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return sent / ((performance.now() - started) / 1000);
}

/** Open loop: requests leave at a fixed rate whatever the answers do; a latency counts from when its request was due. */
export async function latencies(
  server: Target,
  calls: readonly Call[],
  { perSecond, inFlight }: { perSecond: number; inFlight: number },
): Promise<number[]> {
  const results: number[] = [];
  const started = performance.now();
  const pending: Promise<void>[] = [];
  for (const [index, call] of calls.entries()) {
    const dueAt = started + (index * 1000) / perSecond;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    pending.push(
      send(server, call, inFlight).then(() => {
        results.push(performance.now() - dueAt);
      }),
    );
  }
  await Promise.all(pending);
  return results;
}
