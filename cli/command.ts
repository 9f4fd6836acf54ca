import type { Command } from 'commander';
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

/** Runs a command's work with a client of the data directory, and lets go of it whatever happens. */
export async function withClient<Result>(
  command: Command,
  work: (client: Client, context: CommandContext) => Promise<Result>,
): Promise<Result> {
  const context = contextOf(command);
  const client = await connect({
    config: context.config,
    command: `headgate ${command.name()}`,
    environment: context.environment,
    onProgress: (message) => {
      context.output.progress(message);
    },
  });
  try {
    return await work(client, context);
  } finally {
    await client.close();
  }
}
