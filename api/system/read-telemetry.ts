import { z } from '@hono/zod-openapi';
import { operation } from '../operation.js';
import { RawAnswer } from '../raw-answer.js';

const PROMETHEUS_TEXT = 'text/plain';

export const readTelemetry = operation({
  method: 'get',
  path: '/metrics',
  scope: 'telemetry',
  tag: 'System',
  summary: 'How this process does, for Prometheus: requests, events, lag behind the log, age of the run',
  answer: z.unknown(),
  otherAnswers: [PROMETHEUS_TEXT],

  async handle(_input, { services }) {
    return new RawAnswer(`${PROMETHEUS_TEXT}; version=0.0.4; charset=utf-8`, await services.readTelemetry());
  },
});
