import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { RefusedError } from '../../core/errors.js';
import { answerHeaders } from '../answer-headers.js';
import { readWhole } from '../request-body.js';
import type { Services } from '../services.js';
import { ASK_AGAIN, HTML, pageHeaders } from './file-answer.js';
import { pagesFor } from './pages.js';
import { PLAIN_CSS, SIGN_IN_POLICY, SIGN_IN_SCRIPT, signInPage } from './plain-page.js';
import type { Sessions } from './session.js';

/** Gives a request its id, logs it, and answers what is thrown as a problem. */
export type Exchange = (
  context: Context,
  route: string,
  work: (requestId: string) => Promise<Response>,
) => Promise<Response>;

type Parts = Pick<Services, 'keys' | 'clock'> & { readonly sessions: Sessions };

const SIGN_IN = '/dashboards/sign-in';
const SIGN_OUT = '/dashboards/sign-out';
const STYLES = '/dashboards/plain.css';
const SCRIPT = '/dashboards/sign-in.js';
const FORM_BYTES = 8 * 1024;
/** Where sign-in may lead: a page of ours, and never another host. */
const LOCAL_PATH = /^\/dashboards(\/[A-Za-z0-9_-]+)*\/?(\?[^\s#\\]*)?$/;

/** What answers without a session: the form with its style and script, and both ways through it. */
export function signInRoutes(app: OpenAPIHono, parts: Parts, exchange: Exchange): void {
  for (const [path, mediaType, text] of [
    [STYLES, 'text/css; charset=utf-8', PLAIN_CSS],
    [SCRIPT, 'text/javascript; charset=utf-8', SIGN_IN_SCRIPT],
  ] as const) {
    app.get(path, (context) =>
      exchange(context, path, (requestId) => {
        const headers = answerHeaders(requestId, mediaType, { 'cache-control': ASK_AGAIN });
        return Promise.resolve(new Response(text, { headers }));
      }),
    );
  }
  app.get(SIGN_IN, (context) =>
    exchange(context, SIGN_IN, (requestId) =>
      signInForm(context, requestId, { to: context.req.query('to') ?? '', problem: null, status: 200 }),
    ),
  );
  app.post(SIGN_IN, (context) =>
    exchange(context, SIGN_IN, (requestId) => signIn(context, requestId, parts)),
  );
  app.post(SIGN_OUT, (context) =>
    exchange(context, SIGN_OUT, () => {
      requireOwnForm(context);
      parts.sessions.end(context);
      return Promise.resolve(context.redirect(SIGN_IN, 303));
    }),
  );
}

async function signIn(
  context: Context,
  requestId: string,
  { keys, clock, sessions }: Parts,
): Promise<Response> {
  requireOwnForm(context);
  const form = new URLSearchParams(Buffer.from(await readWhole(context.req.raw, FORM_BYTES)).toString());
  const [key, to] = [form.get('key')?.trim() ?? '', form.get('to') ?? ''];
  const refuse = (problem: string, status: 401 | 403): Promise<Response> =>
    signInForm(context, requestId, { to, problem, status });
  // Without a limit of its own: 192 random bits are not guessed, and a limit that all share would lock everybody out.
  const found = await keys.authenticate(key, clock());
  if (!found.ok) {
    return refuse(found.reason === 'key_revoked' ? 'This key was revoked.' : 'This key is not known.', 401);
  }
  if (pagesFor(found.key.scopes).length === 0) {
    return refuse(`This key opens no page; it may ${found.key.scopes.join(', ')}.`, 403);
  }
  await sessions.begin(context, found.key);
  return context.redirect(localPath(to), 303);
}

async function signInForm(
  context: Context,
  requestId: string,
  {
    to,
    problem,
    status,
  }: { readonly to: string; readonly problem: string | null; readonly status: 200 | 401 | 403 },
): Promise<Response> {
  const headers = answerHeaders(requestId, HTML, pageHeaders(SIGN_IN_POLICY));
  return context.html(await signInPage(localPath(to), problem), status, headers);
}

/**
 * A browser says which page a form was sent from, and no other site may send ours. By the name alone: a proxy in front may have ended
 * the TLS.
 *
 * @throws RefusedError (403) `scope_missing`
 */
function requireOwnForm(context: Context): void {
  const origin = context.req.header('origin') ?? '';
  if (URL.canParse(origin) && new URL(origin).host === context.req.header('host')) return;
  throw new RefusedError(
    'scope_missing',
    'this form was not sent from a page of this server; open /dashboards/sign-in',
    {
      status: 403,
    },
  );
}

function localPath(to: string): string {
  return LOCAL_PATH.test(to) && !to.startsWith('/dashboards/sign-') ? to : '/dashboards';
}
