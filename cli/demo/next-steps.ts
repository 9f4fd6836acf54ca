import { join } from 'node:path';
import type { Config } from '../../platform/config.js';
import { STRIPE_STATE, type DemoBills } from './demo-bills.js';
import type { DemoPage } from './page-data.js';

export interface NextSteps {
  readonly drill: string;
  readonly serve: string;
  readonly ask: string;
  readonly text: readonly string[];
}

/** Ready to paste: a drill on a number just shown, and the server with its address and a key. */
export function nextSteps(
  page: DemoPage,
  bills: DemoBills,
  { data, config, secret }: { readonly data: string; readonly config: Config; readonly secret: string },
): NextSteps {
  const last = page.mrr.at(-1);
  const currency = last?.currency ?? '';
  const month = last?.month ?? page.month;
  const run = `npm run -s headgate --`;
  const drill = `${run} drill mrr month=${month} currency=${currency} --data ${data} --limit 20`;
  const serve = `${run} serve --data ${data}`;
  const ask = `curl -s -H 'Authorization: Bearer ${secret}' 'http://${config.host}:${config.port}/v1/metrics/mrr?from=${month}&currency=${currency}'`;
  return {
    drill,
    serve,
    ask,
    text: [
      '',
      'Next',
      '────',
      `Which events make up that MRR?   ${drill}`,
      `Every metric:                    ${run} metrics --data ${data}`,
      `What would be billed, and why:   ${run} billing preview --period ${page.month.slice(0, 7)} --data ${data}`,
      `Look at those invoices:          ${run} billing local-stripe --state ${join(data, STRIPE_STATE)}   (then open http://127.0.0.1:12111)`,
      `…and at what we have of them:    STRIPE_SECRET_KEY=${bills.secretKey} HEADGATE_STRIPE_URL=http://127.0.0.1:12111 ${run} billing status --data ${data}`,
      `Serve the API (docs at /docs):   ${serve}`,
      `…and ask it (this key is shown once; it may read metrics, leads, billing and partners, and change nothing):`,
      `  ${ask}`,
    ],
  };
}
