// Evidence's own Vite configuration (kept beside this one as vite.config.evidence.js by build.mjs) with four names added.
import { fileURLToPath } from 'node:url';
import evidence from './vite.config.evidence.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  ...evidence,
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
      // The light/dark stores that Evidence's charts use; the package does not export them, our layout needs them.
      '$evidence-theme-stores': here(
        '../../node_modules/@evidence-dev/core-components/dist/themes/themes.js',
      ),
    },
  },
};
