ALTER TABLE "bills" ADD COLUMN "credits_bill_id" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "credit_note_id" text;--> statement-breakpoint
ALTER TABLE "bills" ADD COLUMN "creditable_minor" bigint;--> statement-breakpoint
CREATE INDEX "bills_by_credited" ON "bills" USING btree ("credits_bill_id");