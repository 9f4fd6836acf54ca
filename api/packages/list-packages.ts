import { z } from '@hono/zod-openapi';
import type { Package } from '../../core/catalog/products.js';
import { durationSeconds } from '../../core/catalog/values.js';
import { compareText } from '../../core/compare.js';
import type { RunReader } from '../../platform/warehouse/warehouse.js';
import { rulingCatalog } from '../catalog/ruling-catalog.js';
import { openCursor, sealCursor } from '../cursor.js';
import { operation } from '../operation.js';
import { Count, Cursor, Digits, InstantAnswer, InstantArgument, Limit, NextCursor } from '../shapes.js';

/** A package as the catalog sells it, and as orgs took it up in the last month. */
const PackageShape = z
  .object({
    package_id: z.string(),
    name: z.string(),
    layer: z.string(),
    job: z.string(),
    price: z.object({
      amount_minor: Digits,
      currency: z.string(),
      interval: z.string(),
      is_assumed: z.boolean(),
    }),
    adjacent_to: z.array(z.string()),
    first_value_target_seconds: Count,
    eligible_orgs: Count.nullable(),
    attached_orgs: Count.nullable(),
    attach_ppm: Count.nullable(),
    installs: Count.nullable(),
    reached_first_value: Count.nullable(),
    median_first_value_seconds: Count.nullable(),
  })
  .openapi('Package');

const Uptake = z.object({
  package_id: z.string(),
  eligible_orgs: z.bigint().nullable(),
  attached_orgs: z.bigint().nullable(),
  attach_ppm: z.bigint().nullable(),
  installs: z.bigint().nullable(),
  reached: z.bigint().nullable(),
  median_seconds: z.bigint().nullable(),
});
type Uptake = z.output<typeof Uptake>;

function readUptake(reader: RunReader): Promise<Uptake[]> {
  const { relation } = reader;
  return reader.query(
    `select coalesce(attach.item_id, value.package_id) as package_id, eligible_orgs, attached_orgs, attach_ppm,
       installs, reached, median_seconds
     from (
       select * from ${relation}.attach_packages
       where item_kind = 'package' and month = (select max(month) from ${relation}.attach_packages)
     ) as attach
     full join (
       select * from ${relation}.first_value_summary
       where plan_id = 'all' and channel = 'all' and install_month = 'all' and package_id <> 'all'
     ) as value on attach.item_id = value.package_id`,
    {},
    Uptake,
  );
}

function packageShape(id: string, sold: Package, uptake: Uptake | undefined): z.input<typeof PackageShape> {
  const { name, layer, job, price, adjacentTo, firstValue } = sold;
  return {
    package_id: id,
    name,
    layer,
    job,
    price: {
      amount_minor: price.amountMinor,
      currency: price.currency,
      interval: price.interval,
      is_assumed: price.assumed,
    },
    adjacent_to: [...adjacentTo],
    first_value_target_seconds: durationSeconds(firstValue.within),
    eligible_orgs: uptake?.eligible_orgs ?? null,
    attached_orgs: uptake?.attached_orgs ?? null,
    attach_ppm: uptake?.attach_ppm ?? null,
    installs: uptake?.installs ?? null,
    reached_first_value: uptake?.reached ?? null,
    median_first_value_seconds: uptake?.median_seconds ?? null,
  };
}

const Place = z.tuple([z.string(), z.string()]);

export const listPackages = operation({
  method: 'get',
  path: '/v1/packages',
  scope: 'metrics:read',
  tag: 'Catalog',
  summary: 'Packages of the catalog in force, with how many orgs have each and how soon it gives value',
  query: z.strictObject({
    as_of: InstantArgument.optional(),
    limit: Limit(200, 100),
    cursor: Cursor.optional(),
  }),
  answer: z.object({
    run_id: z.string(),
    as_of: InstantAnswer,
    catalog_version: z.int(),
    packages: z.array(PackageShape),
    next_cursor: NextCursor,
  }),
  problems: ['no_catalog', 'invalid_cursor', 'no_run', 'no_run_as_of', 'run_not_found'],

  async handle({ query }, { services }) {
    const name = JSON.stringify(['packages', query.as_of?.toString()]);
    const [runId, after = ''] = query.cursor === undefined ? [] : openCursor(name, query.cursor, Place);
    const run = await services.runs.choose(runId === undefined ? { asOf: query.as_of } : { runId });
    const { version, catalog } = await rulingCatalog(services.catalogs, run.asOf);
    const uptake = await services.runs.read(run, ({ reader }) => readUptake(reader));
    const uptakeOf = new Map(uptake.map((row) => [row.package_id, row]));
    const rest = Object.entries(catalog.packages)
      .filter(([id]) => id > after)
      .sort(([a], [b]) => compareText(a, b));
    const page = rest.slice(0, query.limit);
    const last = page.at(-1)?.[0];
    return {
      run_id: run.runId,
      as_of: run.asOf,
      catalog_version: Number(version),
      packages: page.map(([id, sold]) => packageShape(id, sold, uptakeOf.get(id))),
      next_cursor:
        rest.length > page.length && last !== undefined ? sealCursor(name, [run.runId, last]) : null,
    };
  },
});
