import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CURRENCY_EXPONENTS } from '../core/currencies.js';
import { packagePath } from '../platform/package-path.js';

test('SQL and core agree on the digits of every minor unit', () => {
  const text = readFileSync(packagePath('transforms', 'macros', 'currency.sql'), 'utf8');
  const told = new Map(
    [...text.matchAll(/in \(([^)]*)\) then (\d)/g)].flatMap(([, codes = '', digits = '']) =>
      [...codes.matchAll(/'([A-Z]{3})'/g)].map(([, code = '']): [string, number] => [code, Number(digits)]),
    ),
  );
  // SQL names what is not 2.
  expect(told).toEqual(new Map([...CURRENCY_EXPONENTS].filter(([, digits]) => digits !== 2).sort()));
});
