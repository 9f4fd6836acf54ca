import type { Context } from 'hono';
import { answerHeaders } from '../answer-headers.js';
import type { SiteFile } from './site.js';

export const HTML = 'text/html; charset=utf-8';
/** What the name says for ever; kept by the browser alone, since it is for who is signed in. */
export const FOR_EVER = 'private, max-age=31536000, immutable';
export const ASK_AGAIN = 'private, no-cache';

/**
 * What the pages' own code needs, and nothing of another host: DuckDB compiles WebAssembly and works beside the page. The build leaves
 * no inline script, and refuses to end where one is left.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  // Svelte's own style element for transitions, which holds a comment and nothing else.
  "style-src 'self' 'sha256-9OlNO0DNEeaVzHL4RZwCLsBHA8WBQ8toBp/4F5XV2nc='",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Without a referrer a browser does not say either where a form was sent from, and forms of ours are asked for that. */
export const pageHeaders = (policy: string): Readonly<Record<string, string>> => ({
  'content-security-policy': policy,
  'referrer-policy': 'same-origin',
});

export interface SentFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  /** What is in it, in short: a browser that has it is told to go on with it. */
  readonly contentHash: string;
  readonly cacheControl: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function fileAnswer(context: Context, requestId: string, file: SentFile): Response {
  const etag = `"${file.contentHash}"`;
  const headers = answerHeaders(requestId, file.mediaType, {
    ...file.headers,
    etag,
    'cache-control': file.cacheControl,
  });
  const isKnown = (context.req.header('if-none-match') ?? '').split(',').some((one) => one.trim() === etag);
  return isKnown ? new Response(null, { status: 304, headers }) : new Response(file.bytes, { headers });
}

export async function siteAnswer(context: Context, requestId: string, file: SiteFile): Promise<Response> {
  const { bytes, encoding } = await file.read(context.req.header('accept-encoding') ?? '');
  return fileAnswer(context, requestId, {
    ...{ bytes, mediaType: file.mediaType, contentHash: `${file.contentHash}${encoding ?? ''}` },
    cacheControl: file.isImmutable ? FOR_EVER : ASK_AGAIN,
    headers: {
      vary: 'accept-encoding',
      ...(encoding === null ? {} : { 'content-encoding': encoding }),
      // Of code too: a worker is held to the policy that its own script came with.
      ...pageHeaders(PAGE_POLICY),
    },
  });
}
