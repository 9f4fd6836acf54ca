import {
  flag,
  id,
  instant,
  list,
  oneOf,
  optional,
  personalText,
  quantitySigned,
  text,
  zone,
} from '../fields.js';
import { eventType, ofCompany, ofVendor } from './event-type.js';

const install = { installId: id(), packageId: id() };
const trial = {
  trialId: id(),
  packageId: optional(id()),
  bundleId: optional(id()),
  planId: optional(id()),
  endsAt: optional(instant()),
  outcome: optional(oneOf(['converted', 'expired', 'canceled'])),
};
const trialOfSomething = {
  rules: [{ kind: 'any_of', fields: ['packageId', 'bundleId', 'planId'] }],
} as const;
const listing = { packageId: id(), vendorPartnerId: id() };
const recommendation = { fromPackageId: optional(id()), packageId: id() };
const configuration = {
  ...install,
  reason: optional(text()),
  clean: optional(flag('uninstalling left nothing running')),
};

export const installEvents = {
  'org.upserted': eventType('installs', 'The whole present state of a customer org.', {
    name: optional(personalText('name')),
    segment: optional(text()),
    country: optional(text()),
    zone: optional(zone('IANA time zone')),
    parentOrgId: optional(id()),
    billToPartnerId: optional(id('the reseller who pays for this client')),
    flags: optional(
      list(
        oneOf(['test', 'internal', 'design_partner', 'reference']),
        'test and internal orgs are left out of every metric',
      ),
    ),
  }),
  'signup.created': eventType('installs', 'Somebody signed up for a customer org.', {
    userId: id(),
    visitorId: optional(id()),
    channel: optional(text()),
    campaign: optional(text()),
    country: optional(text()),
    segment: optional(text()),
    motion: optional(oneOf(['self_serve', 'sales_assisted'])),
  }),
  'identity.linked': eventType(
    'installs',
    'An anonymous visitor turned out to be an org; earlier events count for it.',
    {
      visitorId: id(),
      orgId: id(),
      userId: optional(id()),
    },
  ),
  'activation.reached': eventType(
    'installs',
    'The org reached first value as a whole (products without packages).',
    {
      userId: optional(id()),
      kind: text(),
    },
  ),
  'recommendation.shown': eventType('installs', 'A package was recommended to the org.', recommendation),
  'recommendation.accepted': eventType('installs', 'The org followed a recommendation.', recommendation),
  'listing.published': eventType('installs', "A vendor's package went live in the marketplace.", listing, {
    subject: ofVendor,
  }),
  'listing.withdrawn': eventType('installs', "A vendor's package left the marketplace.", listing, {
    subject: ofVendor,
  }),
  'measurement.recorded': eventType(
    'installs',
    'A number from outside that a plan holds people to (uptime, …).',
    {
      metric: id(),
      value: quantitySigned(),
    },
    { subject: ofCompany },
  ),
  'session.active': eventType('installs', 'A user was active.', { userId: id() }),
  'package.viewed': eventType(
    'installs',
    'Somebody looked at a package or bundle.',
    {
      packageId: optional(id()),
      bundleId: optional(id()),
      userId: optional(id()),
      visitorId: optional(id()),
      channel: optional(text()),
    },
    { rules: [{ kind: 'any_of', fields: ['packageId', 'bundleId'] }] },
  ),
  'install.created': eventType('installs', 'A package was installed.', {
    ...install,
    bundleId: optional(id()),
    templateId: optional(id()),
    userId: optional(id()),
    channel: optional(text()),
    partnerId: optional(id()),
  }),
  'install.configured': eventType('installs', 'An install was set up.', configuration),
  'install.uninstalled': eventType('installs', 'An install was removed.', configuration),
  'install.first_value': eventType(
    'installs',
    'An install did for the first time what it was installed for.',
    {
      ...install,
      kind: optional(text()),
    },
  ),
  'trial.started': eventType(
    'installs',
    'A trial of a package, bundle or plan began.',
    trial,
    trialOfSomething,
  ),
  'trial.ended': eventType('installs', 'A trial ended.', trial, trialOfSomething),
  'experiment.exposed': eventType('installs', 'A unit was shown a variant of an experiment.', {
    experiment: id(),
    variant: id(),
    unitId: id(),
  }),
} as const;
