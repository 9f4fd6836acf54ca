CREATE TABLE "outbound_intents" (
	"intent_id" text PRIMARY KEY NOT NULL,
	"account" text NOT NULL,
	"mode" text NOT NULL,
	"kind" text NOT NULL,
	"scope" text NOT NULL,
	"meter" text,
	"period_start" timestamp with time zone NOT NULL,
	"period_end" timestamp with time zone NOT NULL,
	"sequence" integer NOT NULL,
	"group_id" text NOT NULL,
	"position" integer NOT NULL,
	"request" text NOT NULL,
	"state" text NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"attempt_began_at" timestamp with time zone,
	"must_look" boolean DEFAULT false NOT NULL,
	"object_id" text,
	"object_amount_minor" bigint,
	"object_currency" text,
	"object_status" text,
	"problem_code" text,
	"problem_message" text,
	"created_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "outbound_intents_in_order" UNIQUE("group_id","position")
);
--> statement-breakpoint
CREATE INDEX "outbound_intents_by_state" ON "outbound_intents" USING btree ("state","created_at");