import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Answers to these have no body, and `Response` refuses one. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Sends a request to a server of this machine and waits as long as it takes. `fetch` gives up when five minutes pass without an
 * answer, and a transform or a large file may well take longer.
 */
export function fetchPatiently(request: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      request.url,
      { method: request.method, headers: Object.fromEntries(request.headers) },
      (incoming) => {
        const status = incoming.statusCode ?? 500;
        const headers = new Headers();
        for (const [name, value] of Object.entries(incoming.headers)) {
          if (value !== undefined) headers.set(name, String(value));
        }
        const body = WITHOUT_BODY.has(status) ? null : Readable.toWeb(incoming);
        resolve(new Response(body, { status, headers }));
      },
    );
    outgoing.on('error', reject);
    if (request.body === null) {
      outgoing.end();
      return;
    }
    // A server that has seen enough (413) answers and hangs up: the answer counts, not the broken pipe.
    pipeline(Readable.fromWeb(request.body), outgoing).catch(reject);
  });
}
