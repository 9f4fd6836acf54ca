import { HeadgateError, UnavailableError, type ErrorCode, ERROR_CODES } from '../core/errors.js';
import type { Config } from '../platform/config.js';
import { directoryHolder } from '../platform/data-directory.js';
import { z } from 'zod';
import { fetchPatiently } from './http-transport.js';
import type { Runtime } from './runtime.js';

/** A request as commands make it: the same whether a server holds the data directory or this process does. */
export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  readonly body?: { readonly bytes: ReadableStream<Uint8Array> | Uint8Array; readonly type: string };
}

/** The one way of every command to the data: the API, in process or over HTTP. */
export interface Client {
  call<Answer>(call: ApiCall, shape: z.ZodType<Answer>): Promise<Answer>;
  /** An answer as it came, for what is not to be read but passed on. */
  bytes(call: ApiCall): Promise<Uint8Array>;
  /** The runtime, when this process holds the directory; bulk work can then go without HTTP. */
  readonly runtime: Runtime | null;
  close(): Promise<void>;
}

/** A problem that the API answered, as the error it was on the other side. */
class AnsweredProblem extends HeadgateError {
  constructor(problem: z.infer<typeof Problem>) {
    super(
      problem.code,
      problem.detail,
      { retryable: problem.retryable, status: problem.status },
      problem.details === undefined ? {} : { details: problem.details },
    );
  }
}

const Problem = z.looseObject({
  code: z.enum(ERROR_CODES).catch('internal' satisfies ErrorCode),
  detail: z.string(),
  status: z.number(),
  retryable: z.boolean(),
  details: z.record(z.string(), z.unknown()).optional(),
});

type Fetch = (request: Request) => Response | Promise<Response>;

function requestOf({ method = 'GET', path, query = {}, json, body }: ApiCall, origin: string, token: string) {
  const url = new URL(path, origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const type = body?.type ?? (json === undefined ? undefined : 'application/json');
  const content = body?.bytes ?? (json === undefined ? undefined : JSON.stringify(json));
  return new Request(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(type === undefined ? {} : { 'content-type': type }),
    },
    ...(content === undefined ? {} : { body: content, duplex: 'half' }),
  });
}

function clientOver(fetchAnswer: Fetch, origin: string, token: string, runtime: Runtime | null): Client {
  const send = async (call: ApiCall): Promise<Response> => {
    const response = await fetchAnswer(requestOf(call, origin, token));
    if (!response.ok) throw new AnsweredProblem(Problem.parse(await response.json()));
    return response;
  };
  return {
    runtime,
    async call(call, shape) {
      return shape.parse(await (await send(call)).json());
    },
    async bytes(call) {
      return new Uint8Array(await (await send(call)).arrayBuffer());
    },
    async close() {
      await runtime?.close();
    },
  };
}

export interface ConnectOptions {
  readonly config: Config;
  readonly command: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onProgress: (message: string) => void;
}

/**
 * A client for the data directory: through the server that holds it, or in this process when nobody does.
 *
 * @throws RefusedError `data_directory_locked` when a process holds it that does not serve
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const holder = directoryHolder(options.config.dataDirectory);
  if (holder?.server != null) {
    const { url, token } = holder.server;
    const fetchAnswer: Fetch = async (request) => {
      try {
        return await fetchPatiently(request);
      } catch (cause) {
        throw new UnavailableError(
          'unavailable',
          `the server at ${url} (process ${holder.pid}) holds the data directory and does not answer`,
          { cause },
        );
      }
    };
    return clientOver(fetchAnswer, url, token, null);
  }
  // The engines are most of what there is to load: a command that goes through a server answers in half the time without them.
  const [{ openRuntime, systemClock }, { createApp }] = await Promise.all([
    import('./runtime.js'),
    import('../api/app.js'),
  ]);
  const runtime = await openRuntime({ ...options, clock: systemClock });
  const app = createApp(runtime.services);
  return clientOver(
    (request) => app.fetch(request),
    'http://localhost',
    runtime.services.localToken,
    runtime,
  );
}
