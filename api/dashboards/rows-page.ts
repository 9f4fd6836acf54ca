import { html } from 'hono/html';
import { formatMoney } from '../../core/money.js';
import { formatInstant } from '../../core/time.js';
import type { Metric } from '../../transforms/metric.js';
import { plainFrame, type Html } from './plain-page.js';
import type { RowsBehind } from './rows-behind.js';

/** Without any script: what a number is made of, which a person can add up. */
export function rowsPage(behind: RowsBehind, csvAddress: string): Html {
  const { metric, run, place, rows, rowCount } = behind;
  const where = Object.entries(place).filter(([, value]) => value !== 'all');
  const currency = place['currency'];
  return plainFrame(
    metric.title,
    html`<p>${metric.definition}</p>
      <p class="where">
        ${where.map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`).join(' · ')}${
          where.length > 0 ? ' · ' : ''
        }as
        of ${formatInstant(run.asOf)} · run ${run.runId}
      </p>
      ${sums(behind)}
      <p>
        <a href="${csvAddress}" download="${metric.name}.csv">All as CSV</a>${
          rows.length < rowCount
            ? `; below are the first ${grouped(rows.length)} of ${grouped(rowCount)} rows, and the sums are of all`
            : ''
        }
      </p>
      <div class="rows" tabindex="0" role="region" aria-label="Rows, scroll sideways">
        <table>
          <thead>
            <tr>
              <th>Side</th>
              <th>At</th>
              <th>Customer</th>
              <th>Event</th>
              <th class="number">Amount</th>
              <th>Detail</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (row) =>
                html`<tr>
                  <td>${row.side}</td>
                  <td>${row.at}</td>
                  <td>${row.org_id ?? ''}</td>
                  <td>${row.stream} ${row.event_source} <b>${row.event_id}</b></td>
                  <td class="number">${said(metric, row.side, row.amount, currency)}</td>
                  <td>${row.detail ?? ''}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`,
    'wide',
  );
}

function sums({ metric, sides, place }: RowsBehind): Html {
  const all = Object.entries(sides);
  if (all.length === 0) return html`<p class="sum">There is nothing behind it: the number is 0, or none.</p>`;
  return html`<dl class="sums">
    ${all.map(
      ([side, { sum, rows, digest }]) =>
        html`<div>
          <dt>${side === 'value' ? metric.title : side}</dt>
          <dd class="sum">${said(metric, side, sum, place['currency'])}</dd>
          <dd>from ${grouped(rows)} rows, digest <code>${digest}</code></dd>
        </div>`,
    )}
  </dl>`;
}

const grouped = (count: number): string => count.toLocaleString('en');

/** Money as money with all its digits; anything else as digits. */
function said(metric: Metric, side: string, amount: string, currency: string | undefined): string {
  if (currency !== undefined && isMoney(metric, side) && /^-?\d+$/.test(amount))
    return formatMoney({ amountMinor: BigInt(amount), currency: currency.replace('reporting:', '') });
  const [whole = '', fraction] = amount.split('.');
  const digits = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}

function isMoney({ unit, numerator, denominator }: Metric, side: string): boolean {
  if (side === 'numerator') return numerator?.includes('_minor') ?? false;
  if (side === 'denominator') return denominator?.includes('_minor') ?? false;
  return unit === 'minor';
}
