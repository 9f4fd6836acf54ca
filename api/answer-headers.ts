/** For what is data, never a page. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The docs page: nothing from another host, no inline script, no frame around it. Its component writes its own styles. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Headers of every answer. A plain object, so that the server writes it as it is: a `Headers` object costs more than all the rest of a
 * small answer. Spread into it, the same would be a dictionary that lives until the next full collection, and its answer with it.
 */
export function answerHeaders(
  requestId: string,
  mediaType: string,
  more?: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers = {
    // Answers are about a company's customers: no cache in between may keep them.
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'content-type': mediaType,
    'content-security-policy': DATA_POLICY,
    'x-request-id': requestId,
  };
  return more === undefined ? headers : { ...headers, ...more };
}
