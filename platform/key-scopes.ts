import { z } from 'zod';

export const FIXED_SCOPES = [
  'ingest',
  'quarantine',
  'metrics:read',
  'leads:read',
  'quota',
  'billing:read',
  'billing:write',
  'partners:read',
  'payouts:create',
  'payouts:approve',
  'catalog:write',
  'telemetry',
  'admin',
] as const;

/**
 * `ingest` only puts in: a key that stands in a product's servers reads nothing back. `quarantine` shows what did not pass, as it
 * came. `telemetry` reads /metrics and nothing else. `admin` includes every other; `partner:{id}` sees one partner's own.
 */
export type Scope = (typeof FIXED_SCOPES)[number] | `partner:${string}`;

const PartnerScope = z.templateLiteral(['partner:', z.string().regex(/^[A-Za-z0-9_.-]+$/)]);
export const ScopeSchema: z.ZodType<Scope> = z.union([z.enum(FIXED_SCOPES), PartnerScope]);

/** What a person of this role does with the API; nobody both makes and approves a payout but an admin. */
export const ROLE_SCOPES = {
  founder: ['metrics:read', 'leads:read', 'billing:read', 'partners:read'],
  finance: ['metrics:read', 'billing:read', 'billing:write', 'partners:read', 'payouts:approve'],
  sales: ['metrics:read', 'leads:read'],
  partner_manager: ['metrics:read', 'partners:read', 'payouts:create'],
  operator: ['ingest', 'quarantine', 'quota', 'metrics:read', 'catalog:write', 'billing:read'],
  admin: ['admin'],
} as const satisfies Record<string, readonly Scope[]>;

export type Role = keyof typeof ROLE_SCOPES;
export const ROLES = ['founder', 'finance', 'sales', 'partner_manager', 'operator', 'admin'] as const;
export const RoleSchema = z.enum(ROLES);

export function allows(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.includes('admin') || scopes.includes(needed);
}
