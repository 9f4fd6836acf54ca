import { asc, desc, eq, sql as sqlText } from 'drizzle-orm';
import { canonicalJson } from '../core/canonical-json.js';
import type { PublishedCatalog } from '../core/catalog/tables.js';
import { InputError, RefusedError, invariant } from '../core/errors.js';
import { formatInstant, parseInstant, type Instant } from '../core/time.js';
import { readCatalogText, type CatalogFile } from './catalog-file.js';
import { catalogVersions } from './sql/schema.js';
import { transaction, type Sql, type SqlDatabase } from './sql/sql.js';
import { sha256 } from './sha256.js';

/** A published version; it rules from `effectiveFrom` until the next one does. */
export interface CatalogVersion {
  readonly version: bigint;
  readonly catalogId: string;
  /** SHA-256 of the canonical document: comments and layout don't count. */
  readonly digest: string;
  readonly publishedAt: Instant;
  readonly publishedBy: string;
  /** Null: from the start. */
  readonly effectiveFrom: Instant | null;
  /** Null: still in force. */
  readonly effectiveTo: Instant | null;
}

export interface CatalogPublication {
  /** `unchanged`: the newest version says the same already, so there is no new one. */
  readonly outcome: 'published' | 'unchanged';
  readonly version: CatalogVersion;
}

export interface PublishOptions {
  /** A key's id, or `cli:<user>` */
  readonly by: string;
  /** Which version this is meant to become; a number that is taken is refused, never overwritten. */
  readonly as?: bigint;
}

type CatalogRow = typeof catalogVersions.$inferSelect;

/** Any constant will do, as long as nothing else in this database locks on it. */
const PUBLISH_LOCK = 4_871_002;

/** The versions of the catalog that were published. They only grow; the database refuses to change one. */
export class CatalogStore {
  /** Versions never change, so reading each once is enough. */
  private readonly files = new Map<bigint, CatalogFile>();

  constructor(private readonly sql: Sql) {}

  /**
   * Publishes a checked file as the next version. The first rules from the start; a later one from its
   * `effectiveFrom`, else from now.
   *
   * @throws RefusedError `catalog_version_immutable` when `as` names a version that says something else
   * @throws InputError `catalog_invalid` when it would rule before a version that exists, or is another company's
   */
  async publish(file: CatalogFile, options: PublishOptions, now: Instant): Promise<CatalogPublication> {
    const { outcome, number } = await transaction(this.sql, (database) =>
      append(database, file, options, now),
    );
    const version = (await this.list()).find((each) => each.version === number);
    invariant(version !== undefined, 'publish: the version must be listed after its transaction');
    return { outcome, version };
  }

  /** Oldest first. */
  async list(): Promise<CatalogVersion[]> {
    const rows = await this.rows();
    return rows.map((row, index) => versionOf(row, rows[index + 1]));
  }

  /** One version's file, the newest without a number. Null when there is none. */
  async show(version?: bigint): Promise<(CatalogVersion & { readonly file: CatalogFile }) | null> {
    const rows = await this.rows();
    const index = version === undefined ? rows.length - 1 : rows.findIndex((row) => row.version === version);
    const row = rows[index];
    return row === undefined ? null : { ...versionOf(row, rows[index + 1]), file: this.fileOf(row) };
  }

  /** The version that rules at an instant; null before anything was published. */
  async inForce(at: Instant): Promise<(CatalogVersion & { readonly file: CatalogFile }) | null> {
    const versions = await this.list();
    const ruling = versions.findLast(({ effectiveFrom: from }) => from === null || from <= at);
    return ruling === undefined ? null : this.show(ruling.version);
  }

  /** All versions with when each rules: what `catalogTables` takes. */
  async published(): Promise<PublishedCatalog[]> {
    const rows = await this.rows();
    return rows.map((row, index) => {
      const { version, effectiveFrom: from, effectiveTo: to } = versionOf(row, rows[index + 1]);
      return {
        version,
        catalog: this.fileOf(row).catalog,
        effectiveFrom: from === null ? null : formatInstant(from),
        effectiveTo: to === null ? null : formatInstant(to),
      };
    });
  }

  /** Its number alone; null before anything was published. */
  async newestVersion(): Promise<bigint | null> {
    const [last] = await this.sql.database
      .select({ version: catalogVersions.version })
      .from(catalogVersions)
      .orderBy(desc(catalogVersions.version))
      .limit(1);
    return last?.version ?? null;
  }

  private rows(): Promise<CatalogRow[]> {
    return this.sql.database.select().from(catalogVersions).orderBy(asc(catalogVersions.version));
  }

  private fileOf(row: CatalogRow): CatalogFile {
    const known = this.files.get(row.version);
    if (known !== undefined) return known;
    // From the text, not from `document`: jsonb forgets the order of plans and packages.
    const reading = readCatalogText(row.source, `version ${row.version.toString()}`);
    invariant(reading.ok, `catalog version ${row.version.toString()} no longer reads; it did when published`);
    invariant(
      digestOf(reading.file.document) === row.digest,
      `catalog version ${row.version.toString()} differs from what was published`,
    );
    this.files.set(row.version, reading.file);
    return reading.file;
  }
}

export function digestOf(document: unknown): string {
  return sha256(canonicalJson(document));
}

interface Appended {
  readonly outcome: CatalogPublication['outcome'];
  readonly number: bigint;
}

async function append(
  database: SqlDatabase,
  file: CatalogFile,
  options: PublishOptions,
  now: Instant,
): Promise<Appended> {
  // Two publications at once would both become the same version.
  await database.execute(sqlText`select pg_advisory_xact_lock(${PUBLISH_LOCK})`);
  const digest = digestOf(file.document);
  const [last] = await database
    .select()
    .from(catalogVersions)
    .orderBy(desc(catalogVersions.version))
    .limit(1);
  const next = (last?.version ?? 0n) + 1n;
  if (options.as !== undefined && options.as !== next) {
    return unchangedVersion(database, options.as, digest, next);
  }
  if (last?.digest === digest) return { outcome: 'unchanged', number: last.version };
  await database.insert(catalogVersions).values({
    version: next,
    catalogId: file.catalog.catalog,
    digest,
    source: file.text,
    document: file.document,
    effectiveFrom: last === undefined ? null : effectiveFrom(file, last, now),
    publishedAt: now,
    publishedBy: options.by,
  });
  return { outcome: 'published', number: next };
}

async function unchangedVersion(
  database: SqlDatabase,
  wanted: bigint,
  digest: string,
  next: bigint,
): Promise<Appended> {
  const [row] = await database.select().from(catalogVersions).where(eq(catalogVersions.version, wanted));
  if (row?.digest === digest) return { outcome: 'unchanged', number: wanted };
  throw new RefusedError(
    'catalog_version_immutable',
    row === undefined
      ? `catalog: version ${wanted.toString()} can't be published yet; the next one is ${next.toString()}`
      : `catalog: version ${wanted.toString()} is published and never changes; publish this as version ${next.toString()}`,
  );
}

function effectiveFrom(file: CatalogFile, last: CatalogRow, now: Instant): Instant {
  const { catalog } = file;
  if (catalog.catalog !== last.catalogId) {
    throw new InputError(
      'catalog_invalid',
      `catalog ${file.file}: is "${catalog.catalog}", but this data directory's is "${last.catalogId}"; use another data directory (--data)`,
    );
  }
  const from = catalog.effectiveFrom === undefined ? now : parseInstant(catalog.effectiveFrom);
  if (last.effectiveFrom !== null && from <= last.effectiveFrom) {
    const ruling = `version ${last.version.toString()} rules from ${formatInstant(last.effectiveFrom)}`;
    throw new InputError(
      'catalog_invalid',
      `catalog ${file.file} effectiveFrom: ${formatInstant(from)} is too early, ${ruling}; choose a later instant`,
    );
  }
  return from;
}

function versionOf(row: CatalogRow, next: CatalogRow | undefined): CatalogVersion {
  const { version, catalogId, digest, publishedAt, publishedBy, effectiveFrom: from } = row;
  return {
    version,
    catalogId,
    digest,
    publishedAt,
    publishedBy,
    effectiveFrom: from,
    effectiveTo: next?.effectiveFrom ?? null,
  };
}
