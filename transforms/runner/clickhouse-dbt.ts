import { join } from 'node:path';
import type { ClickHouseConfig } from '../../platform/config.js';
import type { ClickHouseTarget } from '../../platform/warehouse/clickhouse-target.js';
import type { BuildDatabases } from './clickhouse-databases.js';
import type { DbtBuild } from './dbt-build.js';
import { runVariables } from './run-variables.js';
import type { RunPlan } from './transform.js';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** How dbt reaches the server that CLICKHOUSE_URL names, and which databases it works in. */
export async function clickHouseDbt(
  plan: RunPlan,
  databases: BuildDatabases,
  { target, config, root }: { target: ClickHouseTarget; config: ClickHouseConfig; root: string },
): Promise<DbtBuild> {
  const { protocol, hostname, port } = new URL(target.origin);
  const scratchDirectory = join(root, 'dbt', 'clickhouse');
  return {
    target: 'clickhouse',
    // dbt parses the project anew when one of these is another.
    variant: `${target.origin} ${target.username} ${databases.marts}`,
    scratchDirectory,
    workingDirectory: scratchDirectory,
    environment: {
      HEADGATE_CLICKHOUSE_HOST: hostname,
      HEADGATE_CLICKHOUSE_PORT: port === '' ? (DEFAULT_PORTS[protocol] ?? '') : port,
      HEADGATE_CLICKHOUSE_USER: target.username,
      // dbt keeps values of this prefix out of what it writes.
      DBT_ENV_SECRET_CLICKHOUSE_PASSWORD: target.password,
      HEADGATE_CLICKHOUSE_SECURE: protocol === 'https:' ? 'True' : 'False',
      HEADGATE_MARTS_DATABASE: databases.marts,
      // dbt-clickhouse has no setting for it, and asks OpenSSL.
      ...(config.caFile === null ? {} : { SSL_CERT_FILE: config.caFile }),
    },
    variables: {
      ...(await runVariables(plan)),
      raw_database: target.database,
      catalog_database: databases.inputs,
      facts_database: databases.facts,
    },
  };
}
