import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { PHASES, type Phase } from './phases.js';

const SERVER = fileURLToPath(new URL('./server.killed.ts', import.meta.url));

/** The server is gone: whatever was asked has no answer, and may or may not have been done. */
export class ServerGone extends Error {}

/** A refusal that the server gave on purpose. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly text: string,
  ) {
    super(`${status} ${text}`);
  }
}

/** What the server says about itself while it works. */
export interface ServerWatch {
  readonly onBegin: (phase: Phase) => void;
  readonly onEnd: (phase: Phase) => void;
  readonly onProgress: () => void;
}

/** A server in a process of its own, to be killed. */
export class LiveServer {
  /** Phases that began and have not ended, by their number; after the death, those that the kill hit. */
  private readonly open = new Map<string, Phase>();
  private isDead = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
    private readonly token: string,
    private readonly died: Promise<unknown>,
  ) {}

  static async start(directory: string, watch: ServerWatch): Promise<LiveServer> {
    const child = spawn(process.execPath, ['--import', 'tsx', SERVER, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const died = once(child, 'close');
    return new Promise((resolve, reject) => {
      let server: LiveServer | null = null;
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [word = '', ...rest] = line.split(' ');
        if (word === 'ready') {
          server = new LiveServer(child, rest[0] ?? '', rest[1] ?? '', died);
          resolve(server);
        } else {
          server?.hear(word, rest, watch);
        }
      });
      void died.then(() => {
        if (server === null) reject(new Error('the server ended before it was ready'));
        else server.isDead = true;
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Resolves when the process and its output are gone, with the phases that it was in. */
  async death(): Promise<readonly Phase[]> {
    await this.died;
    return [...this.open.values()];
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.died;
  }

  /**
   * @throws ServerGone when no whole answer came
   * @throws Refused when the answer is a problem
   */
  async ask<Answer>(
    shape: z.ZodType<Answer>,
    path: string,
    request: { method?: string; body?: string; type?: string } = {},
  ): Promise<Answer> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.url}${path}`, {
        method: request.method ?? 'GET',
        headers: {
          authorization: `Bearer ${this.token}`,
          ...(request.type === undefined ? {} : { 'content-type': request.type }),
        },
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      text = await response.text();
    } catch (error) {
      if (!this.isDead) await this.died;
      throw new ServerGone('the server is gone', { cause: error });
    }
    if (!response.ok) throw new Refused(response.status, text);
    return shape.parse(JSON.parse(text));
  }

  private hear(word: string, [phase = '', number = '']: readonly string[], watch: ServerWatch): void {
    if (word === 'progress') watch.onProgress();
    const known = PHASES.find((name) => name === phase);
    if (known === undefined) return;
    if (word === 'begin') {
      this.open.set(number, known);
      watch.onBegin(known);
    } else if (word === 'end') {
      this.open.delete(number);
      watch.onEnd(known);
    }
  }
}
