-- Only adds: a program of the version before can go on running beside this one.

-- What each site screens by. Their version rises with each change.
CREATE TABLE site_rules (
    site_id BIGINT PRIMARY KEY NOT NULL,
    rules TEXT NOT NULL, -- JSON
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Which rules held which comments, or put them away: as it was when they were last indexed.
CREATE TABLE comment_rules (
    rule TEXT NOT NULL, -- the id of a rule of a site, or a word such as `ban`
    comment_id BIGINT NOT NULL,
    PRIMARY KEY (rule, comment_id)
);
CREATE INDEX comment_rules_of_comment ON comment_rules (comment_id);

-- The rules of a site applied anew to what waits there, as far as the comment at (mark_at, mark_id), in that order.
CREATE TABLE rule_reruns (
    id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT NOT NULL,
    moderator_id BIGINT NOT NULL,
    mark_at BIGINT NOT NULL,
    mark_id BIGINT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    published BIGINT NOT NULL,
    spam BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX rule_reruns_running ON rule_reruns (site_id, id) WHERE finished_at IS NULL;
