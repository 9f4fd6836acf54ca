// Sets light or dark before the first paint. The key is the one that Evidence's theme stores use.
try {
  const saved = localStorage.getItem('evidence-theme') ?? 'system';
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = saved === 'system' ? (dark ? 'dark' : 'light') : saved;
} catch {
  // No storage (private mode): the page's own default stands.
}
