ALTER TABLE "bills" ADD COLUMN "approval_reason" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approved_by" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "approved_at" timestamp with time zone;