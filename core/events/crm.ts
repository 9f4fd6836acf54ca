import {
  currency,
  flag,
  id,
  instant,
  integer,
  list,
  minor,
  oneOf,
  optional,
  personalText,
  quantity,
  text,
  personalAttributes,
} from '../fields.js';
import { eventType, ofCompany, ofPartner } from './event-type.js';

const campaign = {
  campaignId: id(),
  name: optional(text()),
  kind: optional(text()),
  channel: optional(text()),
  companyId: optional(id()),
  leadId: optional(id()),
};
const ticket = {
  ticketId: id(),
  kind: optional(oneOf(['question', 'bug', 'incident'])),
  severity: optional(text()),
  firstResponseAt: optional(instant()),
};

export const crmEvents = {
  'lead.upserted': eventType('crm', 'The whole present state of a lead.', {
    leadId: id(),
    email: optional(personalText('email')),
    companyId: optional(id()),
    orgId: optional(id()),
    ownerId: optional(id()),
    source: optional(text()),
    channel: optional(text()),
    status: optional(text()),
    createdAt: instant(),
    qualifiedAt: optional(instant()),
    convertedAt: optional(instant()),
    attributes: optional(personalAttributes('what the scorecard looks at')),
  }),
  'lead.activity': eventType('crm', 'A lead did something (page_view, email_open, demo_request, …).', {
    leadId: id(),
    kind: text(undefined, 200),
    campaignId: optional(id()),
    attributes: optional(personalAttributes()),
  }),
  'campaign.upserted': eventType('crm', 'The whole present state of a campaign.', campaign, {
    subject: ofCompany,
  }),
  'campaign.touched': eventType('crm', 'A campaign reached a company or a lead.', campaign, {
    subject: ofCompany,
  }),
  'company.upserted': eventType('crm', 'The whole present state of a company in the CRM.', {
    companyId: id(),
    orgId: optional(id()),
    name: optional(personalText('name')),
    domain: optional(text()),
    industry: optional(text()),
    employees: optional(integer()),
    country: optional(text()),
    segment: optional(text()),
    motion: optional(text()),
    ownerId: optional(id()),
    targetAccount: optional(flag()),
  }),
  'deal.upserted': eventType(
    'crm',
    'The whole present state of a deal.',
    {
      dealId: id(),
      companyId: optional(id()),
      leadId: optional(id()),
      orgId: optional(id()),
      pipelineId: id(),
      stage: text(undefined, 200),
      amountMinor: optional(minor()),
      currency: optional(currency()),
      kind: oneOf(['new', 'expansion', 'renewal']),
      createdAt: instant(),
      expectedCloseAt: optional(instant()),
      closedAt: optional(instant()),
      outcome: oneOf(['open', 'won', 'lost']),
      lostReason: optional(text()),
      forecastCategory: optional(oneOf(['pipeline', 'best_case', 'commit', 'omitted'])),
      motion: optional(text()),
      ownerId: optional(id()),
      partnerId: optional(id()),
    },
    { rules: [{ kind: 'needs', field: 'amountMinor', companion: 'currency' }] },
  ),
  'deal.stage_changed': eventType('crm', 'A deal moved from one stage to another.', {
    dealId: id(),
    fromStage: optional(text(undefined, 200)),
    toStage: text(undefined, 200),
  }),
  'activity.logged': eventType('crm', 'Sales did something.', {
    activityId: id(),
    kind: oneOf(['call', 'meeting', 'email', 'demo', 'proposal']),
    leadId: optional(id()),
    dealId: optional(id()),
    companyId: optional(id()),
    ownerId: optional(id()),
    outcome: optional(text()),
  }),
  'survey.responded': eventType(
    'crm',
    'Somebody answered a survey.',
    {
      surveyId: id(),
      kind: oneOf(['nps', 'partner_satisfaction', 'csat']),
      score: quantity(),
      respondentId: optional(id()),
      partnerId: optional(id()),
      comment: optional(personalText('comment')),
    },
    { rules: [{ kind: 'whole_number_when', field: 'score', when: 'kind', is: 'nps', max: 10 }] },
  ),
  'ticket.opened': eventType('crm', 'A customer asked for help.', ticket),
  'ticket.resolved': eventType('crm', 'A ticket was solved.', ticket),
} as const;

const partner = {
  partnerId: id(),
  programId: id(),
  kind: oneOf(['reseller', 'integrator', 'consultant', 'affiliate', 'influencer', 'technology', 'vendor']),
  parentPartnerId: optional(id()),
  tier: optional(text()),
  onboarding: optional(oneOf(['applied', 'accepted', 'agreement_signed', 'tax_complete', 'certified'])),
  certifications: optional(list(text())),
};

export const partnerEvents = {
  'partner.enrolled': eventType('crm', 'A partner joined a program.', partner, { subject: ofPartner }),
  'partner.tier_changed': eventType('crm', 'A partner has a new tier or standing in a program.', partner, {
    subject: ofPartner,
  }),
  'referral.clicked': eventType('crm', "A visitor followed a partner's link.", {
    partnerId: id(),
    linkId: id(),
    visitorId: id(),
    campaign: optional(text()),
  }),
  'referral.attributed': eventType('crm', 'A partner claims the org that is the subject.', {
    partnerId: id(),
    method: oneOf(['link', 'code', 'deal', 'manual']),
    since: optional(oneOf(['always'], 'a manual attribution that covers earlier payments too')),
    visitorId: optional(id()),
    code: optional(text()),
    registrationId: optional(id()),
  }),
  'deal.registered': eventType(
    'crm',
    'A partner registered a company as its deal, or the registration moved on.',
    {
      registrationId: id(),
      partnerId: id(),
      companyName: personalText('name'),
      domain: optional(text()),
      status: oneOf(['open', 'accepted', 'rejected', 'won', 'lost', 'expired']),
    },
    { subject: ofPartner },
  ),
  'workspace.provisioned': eventType('crm', "A partner set up a client's org, which is the subject.", {
    partnerId: id(),
  }),
} as const;
