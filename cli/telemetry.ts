import type { Meter } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

export interface Telemetry {
  readonly meter: Meter;
  /** Everything measured so far, in Prometheus' text format. */
  read(): Promise<string>;
  close(): Promise<void>;
}

/** OpenTelemetry's SDK, read on request: no port and no thread of its own. */
export function startTelemetry(): Telemetry {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  return {
    meter: provider.getMeter('headgate'),
    read: async () => serializer.serialize((await reader.collect()).resourceMetrics),
    close: () => provider.shutdown(),
  };
}
