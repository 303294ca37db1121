-- Only adds: a program of the version before can go on running beside this one.

-- Challenges whose solution came with a post that was taken. Each is good for one, and forgotten some time after it has
-- expired.
CREATE TABLE spent_challenges (
    nonce BLOB PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX spent_challenges_by_expiry ON spent_challenges (expires_at);
