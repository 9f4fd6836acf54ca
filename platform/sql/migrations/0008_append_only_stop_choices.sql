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
