import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheDirectory } from '../../cli/cache-directory.js';
import { catalogTables } from '../../core/catalog-tables.js';
import { companyInputs } from '../../transforms/runner/company-inputs.js';
import { runDbt } from '../../transforms/runner/dbt.js';
import { ensurePythonEnvironment } from '../../transforms/runner/python-environment.js';
import { writeRunInputs } from '../../transforms/runner/run-inputs.js';
import { openCompany } from '../support/company.js';
import { embeddedPartsOf } from '../support/embedded.js';

test(
  'every definition holds on its hand-worked case, and the project builds on an empty company',
  { timeout: 240_000 },
  async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'headgate-dbt-'));
    const company = await openCompany();
    try {
      const { services } = company.runtime;
      const inputs = join(scratch, 'inputs');
      const runInputs = companyInputs(services.catalogs, () => Promise.resolve([]));
      const { tables: catalog } = await runInputs.catalog();
      const tables = { ...catalog, conflict_decisions: await runInputs.decisions() };
      expect(Object.keys(tables)).toEqual(expect.arrayContaining(Object.keys(catalogTables([]))));
      await writeRunInputs(embeddedPartsOf(company.runtime).bulkWarehouse, inputs, tables);
      const python = await ensurePythonEnvironment({ cacheDirectory: cacheDirectory(process.env) });
      const unitTests = new Set<string>();
      const outcome = await runDbt({
        dbt: python.dbt,
        target: 'duckdb',
        scratchDirectory: join(scratch, 'dbt'),
        environment: {
          HEADGATE_MARTS_FILE: join(scratch, 'marts.duckdb'),
          HEADGATE_FACTS_FILE: join(scratch, 'facts.duckdb'),
        },
        variables: {
          as_of: '2026-10-01 00:00:00',
          run_id: 'run_unit_tests',
          run_started: '2026-10-01 00:00:00',
          code_revision: 'test',
          lake: join(scratch, 'lake'),
          catalog_dir: inputs,
          catalog_version: 0,
          watermark: {},
          incremental: false,
          facts_definition: 'test',
        },
        inherited: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
        withUnitTests: true,
        onNode: (node) => {
          if (node.startsWith('unit_test.')) unitTests.add(node);
        },
      });
      console.log(
        `dbt built and tested ${outcome.nodes} nodes, ${unitTests.size} of them unit tests, in ${(outcome.elapsedMs / 1000).toFixed(1)} s`,
      );
      expect(unitTests.size).toBeGreaterThan(50);
    } finally {
      await company.remove();
      rmSync(scratch, { recursive: true, force: true });
    }
  },
);
