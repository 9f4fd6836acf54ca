// Markup whose styles are attributes, as ECharts writes its tooltips: the page's policy refuses such attributes, and lets a
// script set the same.

/** @param {HTMLElement} element @param {string} html */
export function setMarkup(element, html) {
  element.innerHTML = html.replace(/(<[^<>]*?\s)style=/g, '$1data-style=');
  for (const styled of element.querySelectorAll('[data-style]')) {
    styled.style.cssText = styled.getAttribute('data-style');
    styled.removeAttribute('data-style');
  }
}
