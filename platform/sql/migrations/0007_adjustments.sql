ALTER TABLE "bill_lines" ADD COLUMN "kind" text DEFAULT 'usage' NOT NULL;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credit_id" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credit_quantity" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "words" text;--> statement-breakpoint
ALTER TABLE "bill_lines" ADD COLUMN "credits_left" jsonb;--> statement-breakpoint
CREATE INDEX "bill_lines_by_credit" ON "bill_lines" USING btree ("account","mode","org_id","credit_id") WHERE credit_id is not null;