// What need not wait for the pages' own code: the theme, and what that code asks for first.

// Light or dark, before the first paint. The key is the one that Evidence's theme stores use.
try {
  const saved = localStorage.getItem('evidence-theme') ?? 'system';
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = saved === 'system' ? (dark ? 'dark' : 'light') : saved;
} catch {
  // No storage (private mode): the page's own default stands.
}

// Asked for while the code is on its way. The server says by the same addresses what is there and what is not.
{
  const at = (path) => fetch(`/dashboards/${path}`, { cache: 'no-cache' });
  window.headgateEarly = { session: at('session.json'), manifest: at('data/manifest.json') };
  for (const asked of Object.values(window.headgateEarly)) asked.catch(() => {});
}
