DROP INDEX comments_risky;
CREATE INDEX comments_risky ON comments (site_id, status, risk DESC, created_at, id);
CREATE INDEX comments_queue ON comments (status, created_at, id);
