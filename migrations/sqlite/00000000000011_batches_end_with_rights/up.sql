-- A batch goes on for as long as whoever began it may do what it does: this is asked again before each chunk.
ALTER TABLE decision_batches ADD COLUMN needs TEXT; -- 'decide-many' or 'undo-others', beside deciding; empty for neither
ALTER TABLE decision_batches ADD COLUMN api_key_id BIGINT; -- the key that it was begun with
