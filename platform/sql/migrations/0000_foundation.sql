CREATE TABLE "api_keys" (
	"key_id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"secret_hash" text NOT NULL,
	"role" text,
	"scopes" text[] NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "api_keys_secret_hash_unique" UNIQUE("secret_hash")
);
--> statement-breakpoint
CREATE TABLE "audit_entries" (
	"sequence" bigint PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"target" text NOT NULL,
	"details" text NOT NULL,
	"previous_hash" text NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "audit_entries_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "catalog_versions" (
	"version" bigint PRIMARY KEY NOT NULL,
	"catalog_id" text NOT NULL,
	"digest" text NOT NULL,
	"source" text NOT NULL,
	"document" jsonb NOT NULL,
	"effective_from" timestamp with time zone,
	"published_at" timestamp with time zone NOT NULL,
	"published_by" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "conflicts" (
	"conflict_id" text PRIMARY KEY NOT NULL,
	"stream" text NOT NULL,
	"identity" text NOT NULL,
	"source" text NOT NULL,
	"event_id" text NOT NULL,
	"first_partition" integer NOT NULL,
	"first_offset" bigint NOT NULL,
	"other_partition" integer NOT NULL,
	"other_offset" bigint NOT NULL,
	"status" text NOT NULL,
	"decision" text,
	"decided_by" text,
	"decided_at" timestamp with time zone,
	"found_by_run" text,
	"found_at" timestamp with time zone NOT NULL,
	CONSTRAINT "conflicts_once" UNIQUE("stream","identity","other_partition","other_offset")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"request_digest" text NOT NULL,
	"status" integer,
	"answer" text,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_scope_key_pk" PRIMARY KEY("scope","key")
);
--> statement-breakpoint
CREATE TABLE "key_fingerprints" (
	"purpose" text PRIMARY KEY NOT NULL,
	"fingerprint" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "month_pins" (
	"month" date PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"closed_at" timestamp with time zone NOT NULL,
	"closed_by" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pointers" (
	"name" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"moved_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"quarantine_id" text PRIMARY KEY NOT NULL,
	"raw_digest" text NOT NULL,
	"source_name" text NOT NULL,
	"source_position" text DEFAULT '' NOT NULL,
	"raw" "bytea" NOT NULL,
	"reason" text NOT NULL,
	"path" text NOT NULL,
	"message" text NOT NULL,
	"problems" jsonb NOT NULL,
	"count" bigint NOT NULL,
	"status" text NOT NULL,
	"fixed_raw" "bytea",
	"first_seen_at" timestamp with time zone NOT NULL,
	"last_seen_at" timestamp with time zone NOT NULL,
	"resolved_at" timestamp with time zone,
	"resolved_by" text,
	CONSTRAINT "quarantine_once" UNIQUE("raw_digest","source_name","source_position")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"run_id" text PRIMARY KEY NOT NULL,
	"status" text NOT NULL,
	"as_of" timestamp with time zone NOT NULL,
	"watermark" jsonb NOT NULL,
	"catalog_version" bigint,
	"code_revision" text NOT NULL,
	"is_incremental" boolean NOT NULL,
	"is_historical" boolean DEFAULT false NOT NULL,
	"location" text NOT NULL,
	"event_counts" jsonb,
	"timings" jsonb,
	"failure" text,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "vault_persons" (
	"person" text NOT NULL,
	"token" text NOT NULL,
	CONSTRAINT "vault_persons_person_token_pk" PRIMARY KEY("person","token")
);
--> statement-breakpoint
CREATE TABLE "vault_values" (
	"token" text PRIMARY KEY NOT NULL,
	"field" text NOT NULL,
	"ciphertext" "bytea" NOT NULL,
	"key_id" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "conflicts_by_status" ON "conflicts" USING btree ("status","found_at","conflict_id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_by_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "quarantine_by_status" ON "quarantine" USING btree ("status","first_seen_at","quarantine_id");--> statement-breakpoint
CREATE INDEX "runs_by_as_of" ON "runs" USING btree ("as_of");--> statement-breakpoint
CREATE INDEX "runs_by_start" ON "runs" USING btree ("started_at");--> statement-breakpoint
CREATE INDEX "vault_persons_by_token" ON "vault_persons" USING btree ("token");--> statement-breakpoint
CREATE INDEX "vault_values_by_key" ON "vault_values" USING btree ("key_id");