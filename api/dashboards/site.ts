import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../platform/sha256.js';
import { HTML } from './file-answer.js';

/** Beside the pages: for the server, and for nobody else. */
const QUERIES = 'queries.json';
const Queries = z.record(z.string(), z.array(z.string()));
type Queries = Readonly<z.infer<typeof Queries>>;

export interface SiteFile {
  readonly mediaType: string;
  readonly contentHash: string;
  /** The name holds a hash of what is in it, so that it can be kept for ever. */
  readonly isImmutable: boolean;
  /** @param accepted what the browser can unpack */
  read(accepted: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; encoding: 'br' | 'gzip' | null }>;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': HTML,
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

const PACKED = [
  { encoding: 'br', suffix: '.br' },
  { encoding: 'gzip', suffix: '.gz' },
] as const;

/**
 * The built pages: what the build left, and nothing beside it. Files are found in a list that was made at the start, so no path of a
 * request ever reaches the disk.
 */
export class Site {
  private constructor(
    private readonly files: ReadonlyMap<string, SiteFile>,
    /** What each page asks when it is opened, by its route. */
    readonly queries: Queries,
  ) {}

  /** Null where nothing was built. */
  static open(directory: string): Site | null {
    if (!existsSync(join(directory, 'index.html'))) return null;
    const names = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'));
    const all = new Set(names);
    const served = names.filter((name) => name !== QUERIES && MEDIA_TYPES[extname(name)] !== undefined);
    const queries = Queries.parse(JSON.parse(readFileSync(join(directory, QUERIES), 'utf8')));
    return new Site(new Map(served.map((name) => [name, siteFile(directory, name, all)])), queries);
  }

  /** @param path below /dashboards/, decoded; a page goes by its folder's name */
  find(path: string): SiteFile | undefined {
    const page = path === '' ? 'index.html' : `${path.replace(/\/$/, '')}/index.html`;
    return this.files.get(path) ?? this.files.get(page) ?? this.files.get(`${path}.html`);
  }
}

function siteFile(directory: string, name: string, all: ReadonlySet<string>): SiteFile {
  const path = join(directory, name);
  const { size } = statSync(path);
  const isImmutable = name.includes('/immutable/');
  const packed = PACKED.filter(
    ({ suffix }) => all.has(`${name}${suffix}`) && statSync(`${path}${suffix}`).size < size,
  );
  return {
    mediaType: MEDIA_TYPES[extname(name)] ?? 'application/octet-stream',
    // The engine alone has 34 MB, and its name says already what is in it.
    contentHash: sha256(isImmutable ? name : readFileSync(path)),
    isImmutable,
    read: async (accepted) => {
      const taken = packed.find(({ encoding }) => accepts(accepted, encoding));
      const bytes = await readFile(`${path}${taken?.suffix ?? ''}`);
      return { bytes: new Uint8Array(bytes), encoding: taken?.encoding ?? null };
    },
  };
}

/** Enough of RFC 9110 for two encodings: named, and not refused by q=0. */
function accepts(header: string, encoding: string): boolean {
  return header
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .some((one) => one.split(';')[0] === encoding && !/;\s*q=0(\.0*)?$/.test(one));
}
