// Evidence's own Vite configuration (kept beside this one as vite.config.evidence.js by build.mjs) with a few names and one change to ECharts added.
import { fileURLToPath } from 'node:url';
import evidence from './vite.config.evidence.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const TOOLTIP = 'echarts/lib/component/tooltip/TooltipHTMLContent.js';

/** ECharts sets its tooltips' styles by attributes, which our policy refuses: our own function sets them instead. */
const tooltipStyles = {
  name: 'headgate-tooltip-styles',
  transform(code, id) {
    if (!id.includes(TOOLTIP)) return null;
    const changed = code.replace(/(\w+)\.innerHTML = (content \+ arrow|arrow);/g, 'setMarkup($1, $2);');
    if (changed.match(/setMarkup\(/g)?.length !== 2) throw new Error(`${TOOLTIP} is not what this was written for`);
    return { code: `import { setMarkup } from '$styled-markup';\n${changed}`, map: null };
  },
};

export default {
  ...evidence,
  plugins: [...evidence.plugins, tooltipStyles],
  resolve: {
    ...evidence.resolve,
    alias: {
      ...evidence.resolve?.alias,
      // Our engine in place of Evidence's: see components/engine.js for why.
      '@evidence-dev/universal-sql/client-duckdb': here('./src/components/engine.js'),
      // What each number means, from the product's registry.
      $definitions: here('./src/definitions.json'),
      // Digits of minor units that are not two, from the product too.
      $exponents: here('./src/exponents.json'),
      '$styled-markup': here('./src/components/styled-markup.js'),
      // The light/dark stores that Evidence's charts use; the package does not export them, our layout needs them.
      '$evidence-theme-stores': here(
        '../../node_modules/@evidence-dev/core-components/dist/themes/themes.js',
      ),
    },
  },
};
