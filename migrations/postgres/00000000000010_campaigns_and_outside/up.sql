-- What near-duplicates are found by: written after the commit, together with comment_lookup. The text cannot be had back
-- from a sketch; it goes when its comment is erased.
CREATE TABLE comment_sketches (
    comment_id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT NOT NULL,
    campaign BIGINT NOT NULL, -- id of the first comment of those that are nearly the same
    seq BIGINT NOT NULL, -- rises with every change, so that nodes read what is new to them
    sketch BYTEA NOT NULL,
    is_spam BOOLEAN -- what people called it by their last decision: spam, or good; null when neither
);
CREATE INDEX comment_sketches_by_seq ON comment_sketches (seq);
CREATE INDEX comment_sketches_by_campaign ON comment_sketches (campaign, comment_id);
CREATE INDEX comment_sketches_of_spam ON comment_sketches (seq) WHERE is_spam;

-- What an outside service is still to be told: what people called a comment that it had judged.
CREATE TABLE outside_reports (
    comment_id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT NOT NULL,
    is_spam BOOLEAN NOT NULL,
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL
);
CREATE INDEX outside_reports_by_time ON outside_reports (due_at);
