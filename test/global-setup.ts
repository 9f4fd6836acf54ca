import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of the companies that several test files use (support/measured-company.ts). */
const companies = mkdtempSync(join(tmpdir(), 'headgate-companies-'));

export function setup(): void {
  process.env['HEADGATE_TEST_COMPANIES'] = companies;
}

export function teardown(): void {
  rmSync(companies, { recursive: true, force: true });
}
