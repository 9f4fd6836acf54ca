import { html } from 'hono/html';

/** A page without numbers: it says one thing, and what to do. */
export interface PlainPage {
  readonly title: string;
  readonly text: string;
  /** A command to type, where that is what to do. */
  readonly command?: string;
  readonly link?: { readonly href: string; readonly text: string };
}

const PARTS = [
  "default-src 'none'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
];
/** Nothing but its own style sheet. */
export const PLAIN_POLICY = PARTS.join('; ');
/** And the script that takes a key out of a link. */
export const SIGN_IN_POLICY = [...PARTS, "script-src 'self'"].join('; ');

export type Html = ReturnType<typeof html>;

export function plainPage({ title, text, command, link }: PlainPage): Html {
  return plainFrame(
    title,
    html`<p>${text}</p>
      ${command === undefined ? '' : html`<pre><code>${command}</code></pre>`}
      ${link === undefined ? '' : html`<p><a href="${link.href}">${link.text}</a></p>`}`,
  );
}

/** @param problem why the last attempt failed; null at first */
export function signInPage(to: string, problem: string | null): Html {
  return plainFrame(
    'Sign in',
    html`<form method="post" action="/dashboards/sign-in">
      <input type="hidden" name="to" value="${to}" />
      <label for="key">Your key</label>
      <input
        id="key"
        name="key"
        type="password"
        autocomplete="current-password"
        required
        autofocus
        spellcheck="false"
        aria-describedby="hint"
      />
      ${problem === null ? '' : html`<p role="alert">${problem}</p>`}
      <button type="submit">Sign in</button>
      <p id="hint">It begins with hg_. Whoever runs Headgate makes one with: headgate keys create</p>
      <script src="/dashboards/sign-in.js"></script>
    </form>`,
  );
}

/** @param width wide: for a table */
export function plainFrame(title: string, content: Html, width: 'narrow' | 'wide' = 'narrow'): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Headgate</title>
        <link rel="stylesheet" href="/dashboards/plain.css" />
      </head>
      <body>
        <main class="${width}">
          <p class="name">Headgate</p>
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`;
}

/**
 * A link may bring a key behind '#', which a browser sends to no server. It is filled in and taken out of the address; signing in is
 * still the reader's, so that nobody is signed in by a link that somebody else sent.
 */
export const SIGN_IN_SCRIPT = `
const key = location.hash.slice(1);
if (/^hg_[A-Za-z0-9_-]+$/.test(key)) {
  document.getElementById('key').value = key;
  document.querySelector('button').focus();
  history.replaceState(null, '', location.pathname + location.search);
}
`;

export const PLAIN_CSS = `
:root { color-scheme: light dark; --ink: #16202e; --quiet: #4d5b6c; --paper: #f6f7f9; --card: #ffffff; --line: #cfd6de; --accent: #0b5cad; --bad: #a3221d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf3; --quiet: #a9b6c4; --paper: #11171f; --card: #1a222d; --line: #364252; --accent: #7db8f0; --bad: #ff9d93; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
main.wide { max-width: 72rem; align-self: start; }
.where { color: var(--quiet); font-size: 0.875rem; }
.sums { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0 0 1rem; }
.sums dt, .sums dd { margin: 0; font-size: 0.875rem; color: var(--quiet); }
.sums .sum { font-size: 1.375rem; font-weight: 600; color: var(--ink); font-variant-numeric: tabular-nums; }
.sums code { overflow-wrap: anywhere; }
.rows { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.8125rem; }
th, td { padding: 0.35rem 0.75rem 0.35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.name { margin: 0; color: var(--quiet); font-size: 0.875rem; letter-spacing: 0.04em; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
form { display: grid; gap: 0.75rem; }
label { font-weight: 600; }
input { width: 100%; padding: 0.65rem 0.75rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--quiet); border-radius: 8px; }
button { padding: 0.65rem 0.75rem; font: inherit; font-weight: 600; color: var(--card); background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
p { overflow-wrap: anywhere; }
#hint { margin: 0; color: var(--quiet); font-size: 0.875rem; }
[role='alert'] { margin: 0; color: var(--bad); font-weight: 600; }
pre { padding: 0.75rem; overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
a { color: var(--accent); }
`;
