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
ALTER TABLE "bill_lines" ADD COLUMN "kind" text DEFAULT 'usage' NOT NULL;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credit_id" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credit_quantity" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "words" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credits_left" jsonb;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approval_reason" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approved_by" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approved_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "bill_breaks_by_bill" ON "bill_breaks" USING btree ("bill_id");--> statement-breakpoint
CREATE INDEX "bill_lines_by_credit" ON "bill_lines" USING btree ("account","mode","org_id","credit_id") WHERE credit_id is not null;