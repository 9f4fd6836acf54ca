import { pino, type DestinationStream, type Logger } from 'pino';
import { HeadgateError } from '../core/errors.js';
import type { Config } from './config.js';

/** Whatever carries a secret or a person, wherever it stands in what is logged. */
const REDACTED = [
  'authorization',
  'cookie',
  'secret',
  'token',
  'apiKey',
  'password',
  'email',
  'phone',
].flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** JSON lines. `destination` defaults to standard error, so that standard output stays a command's answer. */
export function createLogger(
  { logLevel }: Pick<Config, 'logLevel'>,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED, censor: '[redacted]' },
      serializers: { error: errorFields },
    },
    destination,
  );
}

/** pino's own serializer would leave out `code` and print causes whole; an engine's message may quote a row. */
function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof HeadgateError) {
    return { code: error.code, message: error.message, stack: error.stack, cause: causeName(error.cause) };
  }
  return error instanceof Error
    ? { type: error.name, message: error.message, stack: error.stack }
    : { error };
}

function causeName(cause: unknown): string | undefined {
  return cause instanceof Error ? `${cause.name}: ${cause.message.split('\n', 1)[0] ?? ''}` : undefined;
}
