import type { Counter, Histogram, Meter } from '@opentelemetry/api';

/** What the API measures of itself, by OpenTelemetry's names with the unit at the end, as Prometheus has it. */
export interface Instruments {
  /** Seconds, by method, route and status. */
  readonly requestDuration: Histogram;
  /** Events that were answered, by way in and outcome. */
  readonly events: Counter;
}

export function createInstruments(meter: Meter): Instruments {
  return {
    requestDuration: meter.createHistogram('http.server.request.duration.seconds', {
      description: 'Duration of HTTP requests',
      advice: {
        explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      },
    }),
    events: meter.createCounter('headgate.events', {
      description: 'Events that were answered: accepted, or in quarantine',
    }),
  };
}
