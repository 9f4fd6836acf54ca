import { DuckDBInstance } from '@duckdb/node-api';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../cli/runtime.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { packagePath } from '../../platform/package-path.js';
import { openCompany } from '../support/company.js';
import { seconds, timed, type Figure } from './figure.js';

/** DuckDB's own way of reading the file, into a table on disk. */
async function readJsonFloor(file: string, directory: string): Promise<number> {
  const database = join(directory, 'floor.duckdb');
  rmSync(database, { force: true });
  const instance = await DuckDBInstance.create(database, { threads: '2' });
  const connection = await instance.connect();
  const { ms } = await timed(async () => {
    await connection.run(
      `create table events as select * from read_json('${file}', format = 'newline_delimited')`,
    );
    await connection.run('checkpoint');
  });
  connection.closeSync();
  instance.closeSync();
  rmSync(database, { force: true });
  return ms;
}

export async function benchFileIngest(file: string, lines: number, directory: string): Promise<Figure> {
  const company = await openCompany();
  try {
    const ours: number[] = [];
    const floors = [await readJsonFloor(file, directory)];
    const { ms } = await timed(() =>
      ingestNdjsonFile(file, company.runtime.services.ingest, {}, systemClock()),
    );
    ours.push(ms);
    floors.push(await readJsonFloor(file, directory));
    const floor = Math.min(...floors);
    return {
      name: `file ingest, ${lines.toLocaleString('en-US')} events`,
      measured: seconds(ms),
      floor: `${seconds(floor)} read_json`,
      ratio: `${(ms / floor).toFixed(2)}×`,
      target: '≤ 5×',
      isMet: ms / floor <= 5,
    };
  } finally {
    await company.remove();
  }
}

/** Peak resident memory of `headgate ingest` on a file, from a process of its own. */
export async function benchIngestMemory(file: string, bytes: number, directory: string): Promise<Figure> {
  const data = join(directory, 'memory');
  const script = packagePath('test', 'bench', 'peak-memory.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, file, data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  rmSync(data, { recursive: true, force: true });
  const mib = Number(output.trim()) / 1024;
  return {
    name: `memory while ingesting ${(bytes / 1e9).toFixed(2)} GB`,
    measured: `${mib.toFixed(0)} MiB peak`,
    floor: '',
    ratio: '',
    target: '< 1,024 MiB',
    isMet: mib < 1024,
  };
}
