-- What the filter of each site learns from: a decision by a person, without a word of the comment. The counts made of
-- these rows are always those of the rows with state 1 and 3: both change in one transaction.
CREATE TABLE training (
    id BIGINT PRIMARY KEY NOT NULL, -- of the decision
    site_id BIGINT NOT NULL,
    comment_id BIGINT NOT NULL,
    moderator_id BIGINT NOT NULL,
    label SMALLINT NOT NULL, -- 0 good, 1 spam
    state SMALLINT NOT NULL, -- 0 waits, 1 counted, 2 set aside, 3 counted and to be taken back
    seq BIGINT, -- when its turn came, in the order of its site
    evidence DOUBLE PRECISION, -- how the comment was scored before
    agrees BOOLEAN, -- whether that says the same; empty when nothing had been learnt
    stands_for INTEGER NOT NULL, -- decisions that it stands for, when it was drawn at random
    features BYTEA -- keyed hashes
);
CREATE UNIQUE INDEX training_of_comment ON training (comment_id) WHERE state <> 3;
CREATE INDEX training_waiting ON training (site_id, id) WHERE state IN (0, 3);
CREATE UNIQUE INDEX training_in_order ON training (site_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX training_by_moderator ON training (site_id, moderator_id, label, state);

-- How far a site's filter has learnt: the last seq; and how often something was taken back, after which no part of it can
-- be had from what came since.
CREATE TABLE training_heads (
    site_id BIGINT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    takebacks BIGINT NOT NULL,
    good BIGINT NOT NULL, -- comments
    spam BIGINT NOT NULL
);

-- How many good comments, and how much spam, had a feature that falls into a bucket.
CREATE TABLE training_counts (
    site_id BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    good BIGINT NOT NULL,
    spam BIGINT NOT NULL,
    PRIMARY KEY (site_id, bucket)
);

-- How the decisions of each teacher compare with what the filter thought.
CREATE TABLE training_teachers (
    site_id BIGINT NOT NULL,
    moderator_id BIGINT NOT NULL,
    contradicted BIGINT NOT NULL, -- 64 bits, the last decision the lowest
    decisions BIGINT NOT NULL,
    PRIMARY KEY (site_id, moderator_id)
);

-- When the words of spam were thrown away, of which the author is told nothing; empty for everything else.
ALTER TABLE comments ADD COLUMN purged_at BIGINT;
