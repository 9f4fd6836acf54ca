import { z } from '@hono/zod-openapi';
import { metrics } from '../../transforms/metric-registry.js';
import { operation } from '../operation.js';
import { metricShape, MetricShape } from './metric-shape.js';

export const listMetrics = operation({
  method: 'get',
  path: '/v1/metrics',
  scope: 'metrics:read',
  tag: 'Metrics',
  summary: 'Every metric: what it means, its unit, grain, dimensions and owner',
  answer: z.object({ metrics: z.array(MetricShape) }),

  handle: () => Promise.resolve({ metrics: metrics.map(metricShape) }),
});
