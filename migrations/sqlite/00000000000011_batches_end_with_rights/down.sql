ALTER TABLE decision_batches DROP COLUMN api_key_id;
ALTER TABLE decision_batches DROP COLUMN needs;
