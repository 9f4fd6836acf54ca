import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCommands } from './support/build-commands.js';

/** The folder of the companies that several test files use (support/measured-company.ts). */
const companies = mkdtempSync(join(tmpdir(), 'headgate-companies-'));
let commands = '';

export async function setup(): Promise<void> {
  process.env['HEADGATE_TEST_COMPANIES'] = companies;
  commands = await buildCommands();
  process.env['HEADGATE_TEST_COMMANDS'] = commands;
}

export function teardown(): void {
  for (const folder of [companies, commands]) rmSync(folder, { recursive: true, force: true });
}
