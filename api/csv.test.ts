import { expect, test } from 'vitest';
import { spreadsheetText } from './csv.js';

test.each(['=1+1', '+49', '-2', '@sum', '\tx', '\rx', '\nx'])(
  'what would run as a formula is text: %j',
  (text) => {
    expect(spreadsheetText(text)).toBe(`'${text}`);
  },
);

test.each(['', 'org_1', 'a=1', '1-30', "'quoted"])('any other text stays as it is: %j', (text) => {
  expect(spreadsheetText(text)).toBe(text);
});
