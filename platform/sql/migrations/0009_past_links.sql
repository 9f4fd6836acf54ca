CREATE TABLE "stripe_catch_ups" (
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"looked_until" timestamp with time zone NOT NULL,
	CONSTRAINT "stripe_catch_ups_account_mode_pk" PRIMARY KEY("account","mode")
);
--> statement-breakpoint
CREATE TABLE "stripe_customer_links" (
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"customer_id" text NOT NULL,
	"org_id" text NOT NULL,
	CONSTRAINT "stripe_customer_links_account_mode_customer_id_pk" PRIMARY KEY("account","mode","customer_id")
);
--> statement-breakpoint
-- Who pays now; of those that were replaced before this table, who was billed. A customer that changed its org is of the one it pays for.
INSERT INTO stripe_customer_links (account, mode, customer_id, org_id)
SELECT account, mode, customer_id, org_id FROM stripe_customers;
--> statement-breakpoint
INSERT INTO stripe_customer_links (account, mode, customer_id, org_id)
SELECT DISTINCT ON (account, mode, customer_id) account, mode, customer_id, org_id
FROM bills ORDER BY account, mode, customer_id, created_at DESC
ON CONFLICT DO NOTHING;
--> statement-breakpoint
INSERT INTO stripe_customer_links (account, mode, customer_id, org_id)
SELECT DISTINCT ON (account, mode, customer_id) account, mode, customer_id, org_id
FROM stripe_invoices ORDER BY account, mode, customer_id, finalized_at DESC
ON CONFLICT DO NOTHING;
--> statement-breakpoint
-- All since the oldest webhook that is kept is looked through once more: an outage in it may have been passed over.
INSERT INTO stripe_catch_ups (account, mode, looked_until)
SELECT account, mode, min(received_at) FROM webhook_inbox WHERE provider = 'stripe' GROUP BY account, mode;
--> statement-breakpoint
-- Whose a customer is decides whose its invoices are: rows are added, and what stands never changes and never goes.
CREATE FUNCTION refuse_customer_link_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'stripe_customer_links is append-only: link another customer';
END;
$$;
--> statement-breakpoint
CREATE TRIGGER stripe_customer_links_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON stripe_customer_links
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_customer_link_change();
