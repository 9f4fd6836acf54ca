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
CREATE INDEX "stop_choices_by_org" ON "stop_choices" USING btree ("org_id","effective_at");--> statement-breakpoint
CREATE INDEX "usage_alerts_in_order" ON "usage_alerts" USING btree ("created_at","alert_id");--> statement-breakpoint
CREATE INDEX "webhook_messages_due" ON "webhook_messages" USING btree ("state","next_attempt_at");--> statement-breakpoint
-- What an org chose decides what it is billed: rows are added, and what stands never changes and never goes.
CREATE FUNCTION refuse_stop_choice_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'stop_choices is append-only: enter another choice';
END;
$$;
--> statement-breakpoint
CREATE TRIGGER stop_choices_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON stop_choices
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_stop_choice_change();
