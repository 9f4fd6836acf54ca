import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hasClickHouse, startClickHouse, type ClickHouse } from '../../test/support/clickhouse.js';
import { SecretText } from '../secrets.js';
import { requireSelectOnly } from './clickhouse-select-only.js';
import { openClickHouseWarehouse, type ClickHouseWarehouse } from './clickhouse-warehouse.js';
import { userSqlContract, withLimits } from './user-sql.contract.js';
import { rawEvent } from './warehouse.contract.js';

const MAIN = 'room';
const run = { runId: 'run_1', location: `${MAIN}_run_1` };

const notReading = [
  'CREATE TABLE mine ENGINE = Memory AS SELECT 1',
  'CREATE TEMPORARY TABLE mine (a Int8)',
  'CREATE DATABASE mine',
  'INSERT INTO mrr_months SELECT * FROM mrr_months',
  'DELETE FROM mrr_months WHERE 1',
  'ALTER TABLE mrr_months DELETE WHERE 1',
  'TRUNCATE TABLE mrr_months',
  'DROP TABLE mrr_months',
  'RENAME TABLE mrr_months TO mine',
  'OPTIMIZE TABLE mrr_months FINAL',
  'SET max_memory_usage = 0',
  'USE system',
  'SYSTEM FLUSH LOGS',
  'KILL QUERY WHERE 1',
  'GRANT ALL ON *.* TO default',
  'SHOW DATABASES',
  'SHOW GRANTS',
  'SHOW CREATE TABLE mrr_months',
  'EXPLAIN SELECT 1',
  'EXISTS TABLE system.one',
  // other tables
  'SELECT * FROM system.tables',
  'SELECT * FROM `system`.`tables`',
  'SELECT * FROM "system".one AS mrr_months',
  'SELECT 1 WHERE 1 IN system.one',
  'SELECT 1 FROM mrr_months JOIN system.one ON 1',
  'SELECT * FROM (SELECT * FROM information_schema.tables)',
  'WITH x AS (SELECT * FROM system.users) SELECT * FROM x',
  'SELECT (SELECT count() FROM system.one)',
  `SELECT * FROM ${MAIN}.raw_billing`,
  `SELECT * FROM ${MAIN}_run_2.mrr_months`,
  'DESCRIBE TABLE system.one',
  // files, other servers, other databases
  `SELECT * FROM file('/etc/passwd', 'LineAsString')`,
  `SELECT file('/etc/passwd')`,
  `SELECT FILE('/etc/passwd')`,
  `SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')`,
  `SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV')`,
  `SELECT * FROM remote('127.0.0.1:1', system.one)`,
  `SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')`,
  `SELECT * FROM executable('x', 'CSV', 'a Int8')`,
  `SELECT * FROM merge('system', '.*')`,
  `SELECT * FROM clusterAllReplicas('default', system.one)`,
  'SELECT * FROM (EXPLAIN SELECT 1)',
  `DESCRIBE TABLE url('http://127.0.0.1:1/', 'LineAsString')`,
  `SELECT dictGet('a', 'b', 1)`,
  `SELECT joinGet('system.one', 'dummy', 1)`,
  `SELECT hasColumnInTable('system', 'one', 'dummy')`,
  // what the server is
  `SELECT hostName(), currentUser(), getSetting('max_threads')`,
  'SELECT CURRENT_USER()',
  'SELECT * APPLY(hostName) FROM mrr_months',
  'SELECT sleep(3)',
  'SELECT arrayMap(x -> sleepEachRow(x), [1])',
  // limits
  'SELECT 1 SETTINGS max_execution_time = 0',
  'SELECT * FROM (SELECT 1 SETTINGS readonly = 0)',
  // a name that would look like another line of what the parser answers
  'SELECT `a\nSet`, 1',
];

/* Against the real engine behind test/services/clickhouse-shim.ts. */
describe.runIf(hasClickHouse())('against the shim', () => {
  let clickHouse: ClickHouse;
  let warehouse: ClickHouseWarehouse;
  beforeAll(async () => {
    clickHouse = await startClickHouse();
    const url = new SecretText(clickHouse.url(MAIN));
    warehouse = await openClickHouseWarehouse({ url, caFile: null, timeoutMs: 60_000 });
  });
  afterAll(async () => {
    await warehouse.close();
    await clickHouse.stop();
  });

  userSqlContract(
    'ClickHouse',
    {
      endless: 'SELECT count() FROM numbers(100000000000) WHERE cityHash64(number) = 7',
      greedy: 'SELECT groupArray(number) FROM numbers(50000000)',
      numbers: (count) => `numbers(${count})`,
      refused: [
        ...notReading.map((statement) => [statement, 'sql_not_read_only'] as const),
        ['SELECT 1 FORMAT JSON', 'invalid_sql'],
        [`SELECT 1 INTO OUTFILE '/tmp/out.csv'`, 'invalid_sql'],
        ['SELECT {name:String}', 'invalid_sql'],
        ['SELECT $name', 'invalid_sql'],
        [`SELECT '\0'`, 'invalid_sql'],
      ],
    },
    async () => {
      await clickHouse.client.command({ query: `CREATE DATABASE ${run.location}` });
      await clickHouse.client.command({
        query: `CREATE TABLE ${run.location}.mrr_months ENGINE = MergeTree ORDER BY month AS
          SELECT toDate('2026-01-01') AS month, toInt64(9007199254740993) AS close_minor, toDecimal128('0.5', 12) AS share,
            toDateTime64('2026-01-31 10:00:00.25', 6, 'UTC') AS at, CAST(NULL AS Nullable(String)) AS nothing`,
      });
      const event = rawEvent('evt_1', { stream: 'billing' });
      const batch = { stream: 'billing', topicPartition: 0, lastOffset: 7n } as const;
      // Twice, as a consumer does that did not get to commit.
      for (let times = 0; times < 2; times += 1)
        await warehouse.appendFromLog({ ...batch, events: [{ offset: 7n, event, recordedAtMicros: 1n }] });
      return {
        run,
        open: (changes) => warehouse.userSql(withLimits(changes)),
        dispose: () => Promise.resolve(),
      };
    },
  );

  test('what reading needs is let through', async () => {
    const userSql = warehouse.userSql(withLimits());
    for (const statement of [
      'SELECT month, sum(close_minor) OVER (PARTITION BY month ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM mrr_months',
      'WITH x AS (SELECT * FROM mrr_months), 2 AS two SELECT x.close_minor * two FROM x',
      `SELECT a.* EXCEPT (share), COLUMNS('m') FROM ${run.location}.mrr_months AS a`,
      'SELECT * REPLACE (1 AS share) FROM mrr_months',
      'SELECT 1 WHERE 1 IN (SELECT 1) UNION ALL SELECT 2 INTERSECT SELECT 2',
      `SELECT CAST(1 AS Int8), 1::Int8, CASE WHEN 1 THEN 2 END, [1, 2][1], INTERVAL 1 DAY, date '2026-01-01', exists(SELECT 1), 1 BETWEEN 0 AND 2`,
      'SELECT arrayMap(x -> x + 1, [1]), arrayJoin([1, 2]) AS n ORDER BY n LIMIT 1 BY n LIMIT 1',
      `SELECT JSONExtractString(data, 'x'), toStartOfMonth(time) AS m, count() FROM raw_billing GROUP BY ALL HAVING count() > 0`,
      `SELECT number FROM numbers(3) ORDER BY number WITH FILL FROM 0 TO 10`,
      `SELECT * FROM values('a Int8, b String', (1, 'x'))`,
      'DESCRIBE TABLE mrr_months',
      'SELECT version(), now(), currentDatabase(), toTypeName(1), transform(1, [1], [2])',
    ]) {
      expect([statement, (await userSql.query(run, statement)).rows.length]).not.toEqual([statement, 0]);
    }
  });

  test('columns have the types that ClickHouse calls them by', async () => {
    const { columns } = await warehouse.userSql(withLimits()).query(run, 'SELECT * FROM mrr_months');
    expect(columns.map(({ type }) => type)).toEqual([
      'Date',
      'Int64',
      'Decimal(38, 12)',
      "DateTime64(6, 'UTC')",
      'Nullable(String)',
    ]);
  });

  test('a table of another database is not named to who asks for one that is not there', async () => {
    await clickHouse.client.command({ query: `CREATE TABLE ${MAIN}.salaries (a Int8) ENGINE = Memory` });
    const asked = warehouse.userSql(withLimits()).query(run, 'SELECT * FROM salarie');
    await expect(asked).rejects.toThrow(/^sql: (?!.*salaries)/);
  });

  /** Looked through one by one: of the kinds that may tell of the server, those that tell nothing of it. */
  const HARMLESS = new Set(
    `macnumtostring macstringtonum macstringtooui bar blocknumber blockserializedsize blocksize bytesize colorsrgbtooklab coloroklabtosrgb
     coloroklchtosrgb colorsrgbtooklch countdigits currentdatabase current_database database schema defaultvalueofargumenttype
     defaultvalueoftypename digits dumpcolumnstructure errorcodetoname finalizeaggregation flipcoordinates formatquery formatqueryornull
     formatquerysingleline formatquerysinglelineornull formatreadabledecimalsize formatreadablequantity formatreadablesize format_bytes
     formatreadabletimedelta fuzzquery generaterandomstructure getsizeofenumtype getsubcolumn gettypeserializationstreams highlightquery
     icebergbucket identity ignore indexhint initializeaggregation isconstant isdecimaloverflow lowcardinalityindices lowcardinalitykeys
     materialize minsamplesizecontinuous minsamplesizecontinous minsamplesizeconversion neighbor normalizequery normalizequerykeepnames
     normalizedqueryhash normalizedqueryhashkeepnames obfuscatequery obfuscatequerywithseed parsereadablesize parsereadablesizeornull
     parsereadablesizeorzero parsetimedelta partitionid rownumberinallblocks rownumberinblock runningaccumulate runningdifference
     runningdifferencestartingwithfirstvalue structuretocapnprotoschema structuretoprotobufschema throwif tocolumntypename totypename
     tokenizequery transform variantelement varianttype version visiblewidth _cast casewithexpression casewithexpr
     casewithoutexpr casewithoutexpression nested validatenestedarraysizes`.split(/\s+/),
  );
  const SUSPICIOUS = `('Other', 'Introspection', 'Dictionary', 'Embedded Dictionary', 'Machine Learning', 'AI', 'Internal')`;

  test('each function of the engine that may tell of the server is refused, or was looked at', async () => {
    const found = await warehouse.query(
      `WITH doubtful AS (SELECT name FROM system.functions WHERE NOT is_aggregate AND categories IN ${SUSPICIOUS})
       SELECT name FROM system.functions WHERE NOT is_aggregate
         AND (name IN (SELECT name FROM doubtful) OR alias_to IN (SELECT name FROM doubtful))`,
      {},
      z.object({ name: z.string() }),
    );
    expect(found.length).toBeGreaterThan(100);
    const isRefused = (name: string): boolean => {
      const lines = ['SelectWithUnionQuery (children 1)', `  Function ${name} (children 1)`];
      try {
        requireSelectOnly(lines, { database: 'room', databases: new Set() });
        return false;
      } catch {
        return true;
      }
    };
    const open = found.map(({ name }) => name).filter((name) => !isRefused(name));
    expect(open.filter((name) => !HARMLESS.has(name.toLowerCase()))).toEqual([]);
  });
});
