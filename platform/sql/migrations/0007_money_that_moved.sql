CREATE TABLE "bill_breaks" (
	"break_id" text PRIMARY KEY NOT NULL,
	"bill_id" text NOT NULL,
	"cause" text NOT NULL,
	"message" text NOT NULL,
	"found_at" timestamp with time zone NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "stripe_facts" (
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"fact_id" text NOT NULL,
	"object_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"digest" text NOT NULL,
	"told_by" text NOT NULL,
	CONSTRAINT "stripe_facts_account_mode_fact_id_pk" PRIMARY KEY("account","mode","fact_id")
);
--> statement-breakpoint
CREATE TABLE "stripe_invoices" (
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"invoice_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"org_id" text NOT NULL,
	"bill_id" text,
	"status" text NOT NULL,
	"currency" text NOT NULL,
	"total_minor" bigint NOT NULL,
	"paid_minor" bigint NOT NULL,
	"remaining_minor" bigint NOT NULL,
	"refunded_minor" bigint NOT NULL,
	"due_at" timestamp with time zone,
	"finalized_at" timestamp with time zone NOT NULL,
	"paid_at" timestamp with time zone,
	"attempt_count" integer NOT NULL,
	"next_payment_attempt_at" timestamp with time zone,
	"failing_since" timestamp with time zone,
	"dispute" text NOT NULL,
	"asked_at" timestamp with time zone NOT NULL,
	CONSTRAINT "stripe_invoices_account_mode_invoice_id_pk" PRIMARY KEY("account","mode","invoice_id")
);
--> statement-breakpoint
CREATE TABLE "webhook_inbox" (
	"provider" text NOT NULL,
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"raw" "bytea" NOT NULL,
	"customer_id" text,
	"received_at" timestamp with time zone NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone NOT NULL,
	"problem" text,
	"events" "bytea",
	"settled_at" timestamp with time zone,
	CONSTRAINT "webhook_inbox_provider_account_mode_event_id_pk" PRIMARY KEY("provider","account","mode","event_id")
);
--> statement-breakpoint
CREATE TABLE "stop_choices" (
	"choice_id" text PRIMARY KEY NOT NULL,
	"org_id" text NOT NULL,
	"meter_id" text,
	"stop" text NOT NULL,
	"spend_cap_minor" bigint,
	"spend_cap_currency" text,
	"effective_at" timestamp with time zone NOT NULL,
	"reason" text NOT NULL,
	"chosen_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage_alerts" (
	"alert_id" text PRIMARY KEY NOT NULL,
	"rule" text NOT NULL,
	"org_id" text NOT NULL,
	"subscription_id" text NOT NULL,
	"meter_id" text NOT NULL,
	"period_start" timestamp with time zone NOT NULL,
	"period_end" timestamp with time zone NOT NULL,
	"threshold_percent" integer NOT NULL,
	"used" text NOT NULL,
	"included" text NOT NULL,
	"run_id" text NOT NULL,
	"message_id" text,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "usage_alerts_once" UNIQUE("rule","org_id","subscription_id","meter_id","period_start","threshold_percent")
);
--> statement-breakpoint
CREATE TABLE "webhook_messages" (
	"message_id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"payload" text NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone NOT NULL,
	"last_attempt_at" timestamp with time zone,
	"last_status" integer,
	"last_problem" text,
	"delivered_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "kind" text DEFAULT 'usage' NOT NULL;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credit_id" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credit_quantity" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "words" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credits_left" jsonb;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approval_reason" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approved_by" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approved_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "bill_breaks_by_bill" ON "bill_breaks" USING btree ("bill_id");--> statement-breakpoint
CREATE INDEX "stripe_facts_by_object" ON "stripe_facts" USING btree ("account","mode","object_id","at");--> statement-breakpoint
CREATE INDEX "stripe_invoices_by_org" ON "stripe_invoices" USING btree ("account","mode","org_id");--> statement-breakpoint
CREATE INDEX "webhook_inbox_by_state" ON "webhook_inbox" USING btree ("state","next_attempt_at");--> statement-breakpoint
CREATE INDEX "webhook_inbox_by_customer" ON "webhook_inbox" USING btree ("customer_id");--> statement-breakpoint
CREATE INDEX "stop_choices_by_org" ON "stop_choices" USING btree ("org_id","effective_at");--> statement-breakpoint
CREATE INDEX "usage_alerts_in_order" ON "usage_alerts" USING btree ("created_at","alert_id");--> statement-breakpoint
CREATE INDEX "webhook_messages_due" ON "webhook_messages" USING btree ("state","next_attempt_at");--> statement-breakpoint
CREATE INDEX "bill_lines_by_credit" ON "bill_lines" USING btree ("account","mode","org_id","credit_id") WHERE credit_id is not null;