CREATE TABLE "bill_lines" (
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"line_id" text NOT NULL,
	"sequence" integer NOT NULL,
	"cause_id" text NOT NULL,
	"intent_id" text,
	"org_id" text NOT NULL,
	"subscription_id" text NOT NULL,
	"meter_id" text NOT NULL,
	"period_start" timestamp with time zone NOT NULL,
	"period_end" timestamp with time zone NOT NULL,
	"used" text NOT NULL,
	"included" text,
	"overage" text NOT NULL,
	"amount_minor" bigint NOT NULL,
	"charged_minor" bigint NOT NULL,
	"currency" text NOT NULL,
	"is_assumed" boolean NOT NULL,
	"catalog_version" bigint,
	"run_id" text NOT NULL,
	"watermark" jsonb NOT NULL,
	"events" integer NOT NULL,
	"event_digest" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "bill_lines_account_mode_line_id_sequence_pk" PRIMARY KEY("account","mode","line_id","sequence")
);
--> statement-breakpoint
CREATE TABLE "bills" (
	"bill_id" text PRIMARY KEY NOT NULL,
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"org_id" text NOT NULL,
	"currency" text NOT NULL,
	"month" date NOT NULL,
	"sequence" integer NOT NULL,
	"customer_id" text NOT NULL,
	"state" text NOT NULL,
	"total_minor" bigint NOT NULL,
	"carried_item_minor" bigint NOT NULL,
	"carried_intent_id" text,
	"run_id" text NOT NULL,
	"invoice_id" text,
	"problem_code" text,
	"problem_message" text,
	"created_at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"finalized_at" timestamp with time zone,
	CONSTRAINT "bills_once" UNIQUE("account","mode","org_id","currency","month","sequence")
);
--> statement-breakpoint
CREATE TABLE "carry_movements" (
	"cause_id" text PRIMARY KEY NOT NULL,
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"org_id" text NOT NULL,
	"currency" text NOT NULL,
	"month" date NOT NULL,
	"amount_minor" bigint NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_holds" (
	"run_id" text NOT NULL,
	"holder" text NOT NULL,
	CONSTRAINT "run_holds_run_id_holder_pk" PRIMARY KEY("run_id","holder")
);
--> statement-breakpoint
CREATE TABLE "stripe_customers" (
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"org_id" text NOT NULL,
	"customer_id" text NOT NULL,
	"currency" text,
	"collection_method" text NOT NULL,
	"days_until_due" integer,
	"linked_at" timestamp with time zone NOT NULL,
	"linked_by" text NOT NULL,
	CONSTRAINT "stripe_customers_account_mode_org_id_pk" PRIMARY KEY("account","mode","org_id"),
	CONSTRAINT "stripe_customers_once" UNIQUE("account","mode","customer_id")
);
--> statement-breakpoint
CREATE INDEX "bill_lines_by_cause" ON "bill_lines" USING btree ("cause_id");--> statement-breakpoint
CREATE INDEX "bills_by_month" ON "bills" USING btree ("month","org_id","bill_id");--> statement-breakpoint
CREATE INDEX "bills_by_state" ON "bills" USING btree ("state","created_at");--> statement-breakpoint
CREATE INDEX "carry_movements_by_org" ON "carry_movements" USING btree ("account","mode","org_id","currency");