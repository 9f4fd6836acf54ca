import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { packagePath } from '../../platform/package-path.js';

const Unpacked = z.strictObject({
  unpacked: z.array(z.instanceof(Uint8Array)),
  /** Set where a block can't be read; the thread is of no use then. */
  fault: z.string().nullable(),
});
export type Unpacked = z.infer<typeof Unpacked>;

/** The decoder of one file, in a thread of its own: unpacking keeps no request waiting. */
export class ZstdThread {
  private worker: Worker | null = null;

  /**
   * @param blocks of one frame, whole and in order; the first has the frame's header before it, the last its checksum
   *   behind it
   */
  async decode(blocks: readonly Uint8Array[], isLast: boolean): Promise<Unpacked> {
    this.worker ??= new Worker(packagePath('ingest', 'files', 'zstd-worker.mjs'));
    const answered = once(this.worker, 'message');
    this.worker.postMessage({ blocks, isLast });
    const messages: unknown[] = await answered;
    return Unpacked.parse(messages[0]);
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }
}
