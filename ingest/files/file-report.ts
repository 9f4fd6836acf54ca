import type { FileBytes } from './file-bytes.js';

/** What became of a file, so far. */
export interface FileReport {
  readonly name: string;
  readonly accepted: number;
  /** Of the accepted: validated by the engine, without JavaScript. */
  readonly byEngine: number;
  readonly quarantined: number;
  /** Chunks taken in now; 0 when all of the file had been taken in before. */
  readonly chunks: number;
  /** All of the file had been taken in before. Of an empty one there is nothing that could have been. */
  readonly isKnown: boolean;
}

/** What one chunk adds. */
export type ChunkCounts = Pick<FileReport, 'accepted' | 'byEngine' | 'quarantined'>;

/** Before the first chunk that was not known. */
export function reportOfNothing({ name, sizeBytes }: Pick<FileBytes, 'name' | 'sizeBytes'>): FileReport {
  return { name, accepted: 0, byEngine: 0, quarantined: 0, chunks: 0, isKnown: sizeBytes > 0 };
}

export function withChunk(report: FileReport, chunk: ChunkCounts): FileReport {
  return {
    name: report.name,
    accepted: report.accepted + chunk.accepted,
    byEngine: report.byEngine + chunk.byEngine,
    quarantined: report.quarantined + chunk.quarantined,
    chunks: report.chunks + 1,
    isKnown: false,
  };
}
