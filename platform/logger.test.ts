import { expect, test } from 'vitest';
import { InputError } from '../core/errors.js';
import { createLogger } from './logger.js';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger({ logLevel: 'info' }, { write: (line) => lines.push(line) }));
  return lines.join('');
}

test('secrets and personal fields are redacted at the depths where requests carry them', () => {
  const text = logged((logger) => {
    logger.info({
      token: 's3cret',
      request: { headers: { authorization: 'Bearer s3cret' }, email: 's3cret' },
    });
  });
  expect(text).not.toContain('s3cret');
  expect(text).toContain('[redacted]');
});

test('an error is logged with its code, and its cause by one line', () => {
  const cause = new Error('Conversion Error: could not convert\nLINE 1: ana@example.com');
  const text = logged((logger) => {
    logger.error({ error: new InputError('invalid_sql', 'sql: wrong', { cause }) });
  });
  expect(JSON.parse(text)).toMatchObject({ error: { code: 'invalid_sql', message: 'sql: wrong' } });
  expect(text).not.toContain('ana@example.com');
});

test('what is below the level is not written', () => {
  expect(
    logged((logger) => {
      logger.debug('detail');
    }),
  ).toBe('');
});
