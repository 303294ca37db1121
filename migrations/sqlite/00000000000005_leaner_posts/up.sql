-- Every order of the queue names its site, so the one without is not needed; and only what has a risk is kept by it. Each
-- index that a post need not write is a page less in its commit.
DROP INDEX comments_queue;
DROP INDEX comments_risky;
CREATE INDEX comments_risky ON comments (site_id, status, risk DESC, created_at, id) WHERE risk > 0;
