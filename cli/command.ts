import type { Command } from 'commander';
import { requireDataDirectory } from '../platform/data-directory.js';
import { loadConfig, type Config } from '../platform/config.js';
import { connect, type Client } from './client.js';
import { createOutput, type Output } from './output.js';

/** What every command has at hand once its options are read. */
export interface CommandContext {
  readonly config: Config;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface GlobalOptions {
  readonly data?: string;
  readonly json?: boolean;
}

export function contextOf(command: Command, data?: string): CommandContext {
  const options: GlobalOptions = {
    ...(data === undefined ? {} : { data }),
    ...command.optsWithGlobals<GlobalOptions>(),
  };
  const environment = {
    ...process.env,
    ...(options.data === undefined ? {} : { HEADGATE_DATA: options.data }),
    // A command's log would only be in the way of its answer; the server keeps its own level.
    ...(command.name() === 'serve' || process.env['HEADGATE_LOG_LEVEL'] !== undefined
      ? {}
      : { HEADGATE_LOG_LEVEL: 'error' }),
  };
  return { config: loadConfig(environment), output: createOutput(options.json === true), environment };
}

/**
 * Runs a command's work with a client of the data directory, and lets go of it whatever happens.
 *
 * @param options.creates the command begins a data directory where there is none; every other needs one
 */
export async function withClient<Result>(
  command: Command,
  work: (client: Client, context: CommandContext) => Promise<Result>,
  { creates = false }: { readonly creates?: boolean } = {},
): Promise<Result> {
  const context = contextOf(command);
  const { config, environment, output } = context;
  // Where servers hold the company, the directory is scratch, and any machine may begin with none.
  if (!creates && config.database === null) requireDataDirectory(config.dataDirectory);
  let doing = 'opening the data directory';
  const whole = async (): Promise<Result> => {
    const client = await connect({
      config,
      command: `headgate ${command.name()}`,
      environment,
      onProgress: (message) => {
        output.progress(message);
      },
    });
    doing = client.runtime === null ? 'the server is working on it' : 'working';
    const disarm = stopOnSignal(client);
    try {
      return await work(client, context);
    } finally {
      disarm();
      await client.close();
    }
  };
  return output.waiting(() => doing, whole());
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Stopped from outside, a command ends what it started (dbt too) and frees the directory; what it answered is durable anyway. */
function stopOnSignal(client: Client): () => void {
  const listeners = Object.entries(SIGNALS).map(([signal, exitCode]) => {
    const listener = (): void => {
      client.runtime?.services.shutdown.abort();
      void client.close().finally(() => process.exit(exitCode));
    };
    process.once(signal, listener);
    return { signal, listener };
  });
  return () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
}
