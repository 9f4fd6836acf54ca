import type { PersonalKeys } from '../core/events/personal.js';
import type { CatalogStore } from './catalog-store.js';

/** How late a process may notice what another published: a personal value of a new kind is a token everywhere after that. */
const NOTICED_WITHIN_MS = 2_000;

interface Reading {
  /** By this process's monotonic clock. */
  readonly atMs: number;
  readonly newest: bigint | null;
  readonly keys: PersonalKeys;
}

/**
 * Which keys and fields hold personal data, by every catalog that was published: what an older version called personal stays so, for
 * data that came under it is still there.
 */
export class PublishedPersonalKeys {
  private reading: Reading | null = null;
  private underWay: Promise<Reading> | null = null;

  /** @param isShared whether other processes publish catalogs, too */
  constructor(
    private readonly catalogs: CatalogStore,
    private readonly isShared: boolean,
  ) {}

  async current(): Promise<PersonalKeys> {
    const { reading } = this;
    if (reading !== null && !this.isOld(reading)) return reading.keys;
    // Everybody who comes meanwhile waits for the same answer.
    this.underWay ??= this.read().finally(() => {
      this.underWay = null;
    });
    return (await this.underWay).keys;
  }

  /** To be called when this process published a catalog. */
  async changed(): Promise<void> {
    this.reading = await this.read();
  }

  private isOld({ atMs }: Reading): boolean {
    return this.isShared && performance.now() - atMs > NOTICED_WITHIN_MS;
  }

  private async read(): Promise<Reading> {
    // From before the question: what is published while it is answered may be missing from the answer.
    const atMs = performance.now();
    const newest = await this.catalogs.newestVersion();
    const known = this.reading;
    const keys = known !== null && known.newest === newest ? known.keys : await this.keysOfAll();
    const reading = { atMs, newest, keys };
    // One that began before a publication here may end after it.
    if (atMs >= (this.reading?.atMs ?? 0)) this.reading = reading;
    return reading;
  }

  private async keysOfAll(): Promise<PersonalKeys> {
    const published = await this.catalogs.published();
    return {
      attributes: [...new Set(published.flatMap(({ catalog }) => catalog.personal.attributes))],
      fields: published.flatMap(({ catalog }) => catalog.personal.fields),
    };
  }
}
