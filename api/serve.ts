import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { InputError, RefusedError } from '../core/errors.js';
import { createApp, type Answered } from './app.js';
import { problemOf, problemResponse } from './problem.js';
import type { Services } from './services.js';

export interface ServeOptions {
  readonly services: Services;
  readonly answered?: Answered;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Tells other processes of this machine where to ask; the token is for this user's eyes. */
  readonly publishServer: (server: { url: string; token: string }) => Promise<void>;
}

export interface RunningServer {
  readonly url: string;
  /**
   * Takes no new connection, answers every request that is under way, and returns. What was answered "accepted" was durable
   * before; what was not answered may be sent again. Calling it twice waits for the same end.
   *
   * @param graceMs how long requests under way may take before their connections are cut
   */
  stop(graceMs: number): Promise<void>;
}

/** Headers within which a mapping file for an upload has room. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Longer than proxies keep a connection without a request: else they would write into one that we close. */
const KEEP_ALIVE_MS = 75_000;

/** @throws RefusedError `already_exists` when the address is taken */
export async function serve({
  services,
  answered = 'everything',
  host,
  port,
  publishServer,
}: ServeOptions): Promise<RunningServer> {
  const app = createApp(services, answered);
  const listener = getRequestListener(app.fetch, { errorHandler: malformedRequest });
  let isStopping = false;
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 60_000,
      // A file of gigabytes takes its time.
      requestTimeout: 3_600_000,
    },
    (incoming, outgoing) => {
      // Whoever is answered while we stop is told not to come back on this connection.
      if (isStopping) outgoing.setHeader('connection', 'close');
      // A connection that was kept for the next request would keep us from ending.
      outgoing.once('close', () => {
        if (isStopping) closeIdleSoon(server);
      });
      void listener(incoming, outgoing);
    },
  );
  server.on('clientError', refuseBadBytes);
  await listen(server, host, port);
  const url = urlOf(server, host);
  await publishServer({ url, token: services.localToken });
  services.logger.info({ url }, 'serving');

  let stopped: Promise<void> | null = null;
  return {
    url,
    stop: (graceMs) => {
      isStopping = true;
      services.shutdown.abort();
      stopped ??= drain(server, graceMs);
      return stopped;
    },
  };
}

function closeIdleSoon(server: Server): void {
  // The connection counts as idle only after the answer's own handlers have run.
  setImmediate(() => {
    server.closeIdleConnections();
  });
}

function drain(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(cutOff);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE';
      reject(
        isTaken
          ? new RefusedError(
              'already_exists',
              `port ${port} of ${host} is taken; stop what listens there or set HEADGATE_PORT`,
              { cause: error },
            )
          : error,
      );
    });
    server.listen(port, host, () => {
      resolve();
    });
  });
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  // Whoever listens everywhere is reached here by loopback.
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** A request that HTTP can carry and the web's `Request` cannot (no host, a bad URL): a problem like every other. */
function malformedRequest(): Response {
  const error = new InputError('invalid_input', 'the request line or the host header is not valid');
  return problemResponse(problemOf(error, 'none'));
}

/** Bytes that are not HTTP never become a request: this is all that can be said to them. */
function refuseBadBytes(error: Error, socket: Socket): void {
  const isTooLarge = 'code' in error && error.code === 'HPE_HEADER_OVERFLOW';
  if (!socket.writable) return;
  socket.end(
    `HTTP/1.1 ${isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'}\r\nconnection: close\r\n\r\n`,
  );
}
