import { systemClock } from '../../cli/runtime.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';
import { openCompany } from '../support/company.js';

// Ingests a file and prints the peak resident memory of this process in KiB: file, data directory.
const [file, data] = process.argv.slice(2);
if (file === undefined || data === undefined)
  throw new Error('peak-memory: name the file and the data directory');
const company = await openCompany(data);
await ingestNdjsonFile(file, company.runtime.services.ingest, {}, systemClock());
await company.close();
console.log(process.resourceUsage().maxRSS);
