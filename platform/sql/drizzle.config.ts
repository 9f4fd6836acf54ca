import { defineConfig } from 'drizzle-kit';

// npx drizzle-kit generate --config platform/sql/drizzle.config.ts --name what_changes
export default defineConfig({
  dialect: 'postgresql',
  schema: ['./platform/sql/schema.ts', './platform/sql/billing-schema.ts', './platform/sql/stripe-schema.ts'],
  out: './platform/sql/migrations',
});
