import { expect, test } from 'vitest';
import { metricNamed } from './metric-registry.js';

test('a metric that is not known is refused with the nearest, in a sentence that reads well', () => {
  expect(() => metricNamed('mr')).toThrow(
    'there is no metric "mr"; did you mean "mrr"? headgate metrics lists all',
  );
  expect(() => metricNamed('zzzzzz')).toThrow('there is no metric "zzzzzz"; headgate metrics lists all');
});
