import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { STREAMS, type Stream } from '../core/raw-event.js';

/** One immutable Parquet file: a stream's rows of one event month whose offsets lie in [fromOffset, toOffset]. */
export interface LakePart {
  readonly stream: Stream;
  /** YYYY-MM, of the event's own time in UTC. */
  readonly month: string;
  readonly fromOffset: bigint;
  readonly toOffset: bigint;
  readonly path: string;
}

/** Parts that stay where they are until released: whoever reads files by name holds one. */
export interface LakeLease {
  readonly parts: readonly LakePart[];
  release(): void;
}

const MONTH_DIRECTORY = /^month=(\d{4}-\d{2})$/;
const PART_FILE = /^(\d+)-(\d+)\.parquet$/;

/** The lake as files. Names tell everything; a part that another part of its month covers is a leftover. */
export class LakeFiles {
  private leaseCount = 0;
  /** Readers ask with every request, and this process alone changes the lake. */
  private known: readonly LakePart[] | null = null;

  constructor(readonly directory: string) {}

  /** Current parts by stream, month and offset. */
  parts(): readonly LakePart[] {
    this.known ??= this.monthsOfAll().flatMap(([stream, month]) => {
      const all = this.partsOf(stream, month);
      return all.filter((part) => !all.some((other) => covers(other, part)));
    });
    return this.known;
  }

  /** To be called after any change to the files. */
  changed(): void {
    this.known = null;
  }

  monthDirectory(stream: Stream, month: string): string {
    return join(this.directory, stream, `month=${month}`);
  }

  partPath(stream: Stream, month: string, fromOffset: bigint, toOffset: bigint): string {
    return join(this.monthDirectory(stream, month), `${fromOffset}-${toOffset}.parquet`);
  }

  lease(): LakeLease {
    this.leaseCount += 1;
    let isReleased = false;
    return {
      parts: this.parts(),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.leaseCount -= 1;
      },
    };
  }

  hasReaders(): boolean {
    return this.leaseCount > 0;
  }

  /**
   * Removes what a kill left: files half written, and parts whose rows a finished compaction has in one file.
   * For a moment without readers, as when the directory is opened.
   */
  removeLeftovers(): void {
    for (const [stream, month] of this.monthsOfAll()) {
      const all = this.partsOf(stream, month);
      for (const part of all) if (all.some((other) => covers(other, part))) rmSync(part.path);
      for (const name of readdirSync(this.monthDirectory(stream, month))) {
        if (name.endsWith('.tmp')) rmSync(join(this.monthDirectory(stream, month), name));
      }
    }
    this.changed();
  }

  private monthsOfAll(): [Stream, string][] {
    return STREAMS.flatMap((stream) => this.months(stream).map((month): [Stream, string] => [stream, month]));
  }

  private months(stream: Stream): string[] {
    const directory = join(this.directory, stream);
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .flatMap((name) => MONTH_DIRECTORY.exec(name)?.[1] ?? [])
      .sort();
  }

  private partsOf(stream: Stream, month: string): LakePart[] {
    const directory = this.monthDirectory(stream, month);
    return readdirSync(directory)
      .flatMap((name) => {
        const [, from, to] = PART_FILE.exec(name) ?? [];
        if (from === undefined || to === undefined) return [];
        return [
          { stream, month, fromOffset: BigInt(from), toOffset: BigInt(to), path: join(directory, name) },
        ];
      })
      .sort((a, b) => (a.fromOffset < b.fromOffset ? -1 : a.fromOffset > b.fromOffset ? 1 : 0));
  }
}

/** Of two files of one month: true when `outer` holds every row of `inner`. */
function covers(outer: LakePart, inner: LakePart): boolean {
  return (
    outer.path !== inner.path && outer.fromOffset <= inner.fromOffset && outer.toOffset >= inner.toOffset
  );
}
