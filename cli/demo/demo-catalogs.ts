/** The four companies that the demo can show. */
export const DEMO_CATALOGS = ['fleetprompt', 'frontier', 'chatbot', 'nexus'] as const;
export type DemoCatalog = (typeof DEMO_CATALOGS)[number];
