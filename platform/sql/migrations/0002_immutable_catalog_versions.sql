-- Subscriptions, lines and runs point at catalog versions: what was published never changes and never goes.
CREATE FUNCTION refuse_catalog_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'catalog_versions is append-only: publish another version';
END;
$$;
--> statement-breakpoint
CREATE TRIGGER catalog_versions_append_only
  BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog_versions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_catalog_change();
