import type { EventType } from '../events.js';
import type { SentEvent } from './envelope.js';
import { COMPANY_SUBJECT } from './event-type.js';
import { ORG, example } from './example-event.js';
import { invoiceExamples, ledgerExamples, subscriptionExamples } from './examples-billing.js';

/**
 * One event of each type, as a producer would send it. Reference pages show them, tests send them;
 * together they are the first weeks of one customer, org_acme, and of the partner who brought it.
 */
export const eventExamples: Readonly<Record<EventType, SentEvent>> = {
  ...executions(),
  ...orgs(),
  ...installs(),
  ...subscriptionExamples(),
  ...invoiceExamples(),
  ...ledgerExamples(),
  ...crm(),
  ...deals(),
  ...partners(),
  ...corrections(),
};

function executions() {
  const run = {
    executionId: 'exec_1',
    attempt: 0,
    packageId: 'pkg_sync',
    installId: 'ins_1',
    workflow: 'nightly',
  };
  const cost = { costMicros: 41_250, currency: 'USD', usage: { ai_operations: '12.5' } };
  return {
    ...example('execution.started', ORG, '2026-01-08T02:00:00Z', run),
    ...example('execution.paused', ORG, '2026-01-08T02:00:04Z', run),
    ...example('execution.completed', ORG, '2026-01-08T02:01:30Z', {
      ...run,
      ...cost,
      durationMs: 90_000,
      savedMinutes: '7.5',
      humanIntervention: false,
      byoKey: false,
    }),
    ...example('execution.failed', ORG, '2026-01-09T02:00:12Z', {
      ...run,
      ...cost,
      executionId: 'exec_2',
      durationMs: 12_000,
      error: 'upstream answered 502',
    }),
    ...example('execution.canceled', ORG, '2026-01-10T02:00:01Z', {
      ...run,
      executionId: 'exec_3',
      durationMs: 1_000,
      humanIntervention: true,
    }),
    ...example('usage.recorded', ORG, '2026-01-31T23:00:00+01:00', {
      meter: 'storage_gb',
      quantity: '3.25',
      unique: 'bucket_7',
    }),
  };
}

function orgs() {
  return {
    ...example('org.upserted', ORG, '2026-01-05T09:00:00Z', {
      name: 'Acme Corporation',
      segment: 'smb',
      country: 'DE',
      zone: 'Europe/Berlin',
      flags: ['reference'],
    }),
    ...example('signup.created', ORG, '2026-01-05T09:00:00Z', {
      userId: 'usr_1',
      visitorId: 'vis_1',
      channel: 'organic',
      motion: 'self_serve',
    }),
    ...example('identity.linked', ORG, '2026-01-05T09:00:01Z', {
      visitorId: 'vis_1',
      orgId: ORG,
      userId: 'usr_1',
    }),
    ...example('activation.reached', ORG, '2026-01-05T09:20:00Z', { userId: 'usr_1', kind: 'first_report' }),
    ...example('session.active', ORG, '2026-01-06T08:00:00Z', { userId: 'usr_1' }),
    ...example('experiment.exposed', ORG, '2026-01-05T08:59:00Z', {
      experiment: 'E1',
      variant: 'short_form',
      unitId: 'vis_1',
    }),
    ...example('measurement.recorded', COMPANY_SUBJECT, '2026-01-31T00:00:00Z', {
      metric: 'uptime_percent',
      value: '99.95',
    }),
  };
}

function installs() {
  const install = { installId: 'ins_1', packageId: 'pkg_sync' };
  const listing = { packageId: 'pkg_sync', vendorPartnerId: 'ptr_vendor' };
  return {
    ...example('package.viewed', 'vis_1', '2026-01-05T08:58:00Z', {
      packageId: 'pkg_sync',
      visitorId: 'vis_1',
    }),
    ...example('recommendation.shown', ORG, '2026-01-12T09:00:00Z', {
      fromPackageId: 'pkg_sync',
      packageId: 'pkg_audit',
    }),
    ...example('recommendation.accepted', ORG, '2026-01-12T09:01:00Z', {
      fromPackageId: 'pkg_sync',
      packageId: 'pkg_audit',
    }),
    ...example('listing.published', 'ptr_vendor', '2026-01-02T00:00:00Z', listing),
    ...example('listing.withdrawn', 'ptr_vendor', '2026-06-30T00:00:00Z', listing),
    ...example('install.created', ORG, '2026-01-05T09:05:00Z', {
      ...install,
      userId: 'usr_1',
      channel: 'organic',
    }),
    ...example('install.configured', ORG, '2026-01-05T09:10:00Z', install),
    ...example('install.first_value', ORG, '2026-01-05T09:18:30Z', { ...install, kind: 'first_sync' }),
    ...example('install.uninstalled', ORG, '2026-05-01T12:00:00Z', {
      ...install,
      reason: 'replaced by pkg_audit',
      clean: true,
    }),
    ...example('trial.started', ORG, '2026-01-05T09:00:00Z', {
      trialId: 'tri_1',
      planId: 'growth',
      endsAt: '2026-01-19T09:00:00Z',
    }),
    ...example('trial.ended', ORG, '2026-01-19T09:00:00Z', {
      trialId: 'tri_1',
      planId: 'growth',
      outcome: 'converted',
    }),
  };
}

function crm() {
  const campaign = { campaignId: 'cmp_1', name: 'January webinar', kind: 'webinar', channel: 'events' };
  const ticket = { ticketId: 'tkt_1', kind: 'question', severity: 'low' } as const;
  return {
    ...example('lead.upserted', 'lead_1', '2026-01-03T10:00:00Z', {
      leadId: 'lead_1',
      email: 'ada@example.com',
      companyId: 'co_1',
      ownerId: 'rep_1',
      source: 'webinar',
      status: 'open',
      createdAt: '2026-01-03T10:00:00Z',
      attributes: { role: 'engineering', employees: 120 },
    }),
    ...example('lead.activity', 'lead_1', '2026-01-04T11:00:00Z', { leadId: 'lead_1', kind: 'demo_request' }),
    ...example('campaign.upserted', COMPANY_SUBJECT, '2026-01-01T00:00:00Z', campaign),
    ...example('campaign.touched', COMPANY_SUBJECT, '2026-01-03T10:00:00Z', {
      campaignId: 'cmp_1',
      leadId: 'lead_1',
    }),
    ...example('company.upserted', 'co_1', '2026-01-03T10:00:00Z', {
      companyId: 'co_1',
      orgId: ORG,
      name: 'Acme Corporation',
      domain: 'acme.example',
      employees: 120,
      targetAccount: true,
    }),
    ...example('survey.responded', ORG, '2026-04-01T00:00:00Z', {
      surveyId: 'srv_1',
      kind: 'nps',
      score: 9,
      comment: 'Ada says: finally quiet nights',
    }),
    ...example('ticket.opened', ORG, '2026-02-12T09:00:00Z', ticket),
    ...example('ticket.resolved', ORG, '2026-02-12T15:00:00Z', {
      ...ticket,
      firstResponseAt: '2026-02-12T09:20:00Z',
    }),
  };
}

function deals() {
  return {
    ...example('deal.upserted', 'co_1', '2026-01-06T10:00:00Z', {
      dealId: 'deal_1',
      companyId: 'co_1',
      pipelineId: 'sales',
      stage: 'proposal',
      amountMinor: 1_200_000,
      currency: 'USD',
      kind: 'new',
      createdAt: '2026-01-06T10:00:00Z',
      expectedCloseAt: '2026-03-31T00:00:00Z',
      outcome: 'open',
      forecastCategory: 'best_case',
    }),
    ...example('deal.stage_changed', 'co_1', '2026-01-10T10:00:00Z', {
      dealId: 'deal_1',
      fromStage: 'qualified',
      toStage: 'proposal',
    }),
    ...example('activity.logged', 'co_1', '2026-01-07T14:00:00Z', {
      activityId: 'act_1',
      kind: 'demo',
      dealId: 'deal_1',
    }),
  };
}

function partners() {
  const partner = { partnerId: 'ptr_1', programId: 'referral', kind: 'affiliate' } as const;
  return {
    ...example('partner.enrolled', 'ptr_1', '2025-11-01T00:00:00Z', { ...partner, tier: 'silver' }),
    ...example('partner.tier_changed', 'ptr_1', '2026-02-01T00:00:00Z', { ...partner, tier: 'gold' }),
    ...example('referral.clicked', 'vis_1', '2026-01-05T08:57:00Z', {
      partnerId: 'ptr_1',
      linkId: 'lnk_1',
      visitorId: 'vis_1',
    }),
    ...example('referral.attributed', ORG, '2026-01-05T09:00:00Z', {
      partnerId: 'ptr_1',
      method: 'link',
      visitorId: 'vis_1',
    }),
    ...example('deal.registered', 'ptr_1', '2026-01-04T00:00:00Z', {
      registrationId: 'reg_1',
      partnerId: 'ptr_1',
      companyName: 'Acme Corporation',
      domain: 'acme.example',
      status: 'accepted',
    }),
    ...example('workspace.provisioned', ORG, '2026-01-20T00:00:00Z', { partnerId: 'ptr_1' }),
  };
}

function corrections() {
  const target = {
    targetType: 'execution.completed',
    targetSource: 'docs',
    targetId: 'execution-completed-1',
  };
  return {
    ...example('event.voided', ORG, '2026-01-11T00:00:00Z', { ...target, reason: 'sent by a test rig' }),
    ...example('event.amended', ORG, '2026-01-11T00:00:00Z', {
      ...target,
      reason: 'the cost was doubled',
      data: {
        executionId: 'exec_1',
        packageId: 'pkg_sync',
        durationMs: 90_000,
        costMicros: 20_625,
        currency: 'USD',
      },
    }),
  };
}
