INSERT INTO "installation" ("name", "value", "set_at")
  SELECT 'token_key', "fingerprint", "created_at" FROM "key_fingerprints" WHERE "purpose" = 'token';
--> statement-breakpoint
DROP TABLE "key_fingerprints";
