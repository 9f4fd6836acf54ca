import { HeadgateError } from '../../core/errors.js';
import { NO_EXTRA_KEYS } from '../../core/events/personal.js';
import { NOW, openIngestTestBed } from '../ingest-services.js';
import { ingestNdjsonFile } from '../../ingest/files/ingest-file.js';

/**
 * A process for tests to kill or to starve of disk: it ingests a file in small chunks and writes a line for each,
 * "chunk <accepted so far>", and at the end "done" or "failed <error code>".
 */
const [root = '', path = ''] = process.argv.slice(2);
const bed = await openIngestTestBed(NO_EXTRA_KEYS, root);
try {
  await ingestNdjsonFile(
    path,
    bed.services,
    {
      chunkBytes: 1 << 20,
      onProgress: ({ accepted }) => process.stdout.write(`chunk ${accepted}\n`),
    },
    NOW,
  );
  process.stdout.write('done\n');
} catch (error) {
  process.stdout.write(`failed ${error instanceof HeadgateError ? error.code : String(error)}\n`);
}
await bed.close().catch(() => undefined);
