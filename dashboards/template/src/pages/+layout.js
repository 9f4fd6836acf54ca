// Replaces Evidence's +layout.js (pinned by hash in pins.json). Evidence's one loads every table of the
// manifest on every page and takes query results that were computed at build time. Ours does neither:
// pages are built without data, and each query is answered from the newest run: by results that the product prepared, or by the engine.

import { error } from '@sveltejs/kit';
import { base } from '$app/paths';
import { setTrackProxy } from '@evidence-dev/sdk/usql';
import { loadPrepared, manifest, query as engineQuery } from '@evidence-dev/universal-sql/client-duckdb';

// No server-side rendering: the HTML of the build holds no figures, so it cannot go stale.
export const ssr = false;
export const prerender = true;
export const trailingSlash = 'always';

let sessionOnce;
/** Who is signed in, and which pages they may open. */
function readSession() {
  return (sessionOnce ??= (async () => {
    const answer = await (window.headgateEarly?.session ?? fetch(`${base}/session.json`, { cache: 'no-cache' }));
    if (!answer.ok) throw error(answer.status, 'Your session is over. Reload this page to sign in.');
    return answer.json();
  })());
}

/** @type {import('./$types').LayoutLoad} */
export const load = async ({ url, route }) => {
  // Naming the path makes this run again on each page, so that a page starts with its own inputs.
  const path = url.pathname;
  const [session] = await Promise.all([readSession(), loadPrepared(route.id)]);
  const here = route.id.slice(1).split('/')[0];
  return {
    path,
    session,
    title: session.pages.find((one) => one.path === here)?.title ?? 'Headgate',
    __db: {
      /** @param {string} sql */
      query: async (sql, { callback = (x) => x } = {}) => callback(await engineQuery(sql)),
      load: async () => {},
      updateParquetURLs: async () => {},
    },
    // A filter that is not set yet yields an empty selection instead of broken SQL.
    inputs: setTrackProxy({
      label: '',
      value: '(SELECT NULL WHERE 0 /* An Input has not been set */)',
    }),
    // What Evidence's components read from the page; nothing of it is asked from the server.
    data: {},
    customFormattingSettings: { customFormats: [] },
    isUserPage: true,
    evidencemeta: { queries: [] },
    pagesManifest: { label: 'Home', children: {}, frontMatter: {}, isPage: true },
    manifest: await manifest(),
  };
};
