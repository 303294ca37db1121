-- Only adds: a program of the version before can go on running beside this one.

-- How many readers' reports wait for an answer; and whether what moderators find it by is up to date (comment_lookup,
-- comment_words, comment_counts), which a job does after the commit.
ALTER TABLE comments ADD COLUMN reports BIGINT NOT NULL DEFAULT 0;
ALTER TABLE comments ADD COLUMN is_indexed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX comments_unindexed ON comments (id) WHERE NOT is_indexed;
CREATE INDEX comments_reported ON comments (created_at, id) WHERE reports > 0;
CREATE INDEX comments_risky ON comments (site_id, status, risk DESC, created_at, id);

-- What moderators find a comment by, beside its status and time: as it was when it was last indexed.
CREATE TABLE comment_lookup (
    comment_id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT NOT NULL,
    status TEXT NOT NULL, -- what it is counted under in comment_counts
    name TEXT NOT NULL, -- folded
    email TEXT, -- folded
    address TEXT, -- the network address as 32 hexadecimal digits, IPv4 mapped into IPv6, so that a network is a range
    reason TEXT, -- of the last decision
    words_of BIGINT -- edited_at of the text that comment_words has
);
CREATE INDEX comment_lookup_by_name ON comment_lookup (name, comment_id);
CREATE INDEX comment_lookup_by_email ON comment_lookup (email, comment_id) WHERE email IS NOT NULL;
CREATE INDEX comment_lookup_by_address ON comment_lookup (address, comment_id) WHERE address IS NOT NULL;
CREATE INDEX comment_lookup_by_reason ON comment_lookup (reason, comment_id) WHERE reason IS NOT NULL;

-- How many comments there are of each status on each site, of those in comment_lookup.
CREATE TABLE comment_counts (
    site_id BIGINT NOT NULL,
    status TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (site_id, status)
);

-- The words of every comment, as the program cuts them: `shown` is text, name and url, `email` only those may search
-- who may see it.
-- Lexemes of weight A are those of `shown`, of weight D those of `email`.
CREATE TABLE comment_words (
    id BIGINT PRIMARY KEY NOT NULL,
    words TSVECTOR NOT NULL
);
CREATE INDEX comment_words_by_word ON comment_words USING gin (words);

-- Many decisions made at once. What they are about stands in `items`, pairs of id and version of eight bytes each, so
-- that a batch that was interrupted goes on; what came of it, chunk by chunk, in decision_batch_results.
CREATE TABLE decision_batches (
    id BIGINT PRIMARY KEY NOT NULL,
    moderator_id BIGINT NOT NULL,
    to_status TEXT, -- empty: an undo, which puts back what was
    reason TEXT,
    note TEXT,
    message TEXT,
    undoes BIGINT, -- the batch or decision that it takes back
    items BYTEA NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX decision_batches_running ON decision_batches (id) WHERE done < total;
CREATE TABLE decision_batch_results (
    batch_id BIGINT NOT NULL REFERENCES decision_batches (id) ON DELETE CASCADE,
    number BIGINT NOT NULL, -- of the first item
    results TEXT NOT NULL, -- JSON: [[id, outcome, version]]
    PRIMARY KEY (batch_id, number)
);
ALTER TABLE decisions ADD COLUMN batch_id BIGINT;
ALTER TABLE decisions ADD COLUMN undoes BIGINT; -- the decision that it takes back
CREATE INDEX decisions_of_batch ON decisions (batch_id, comment_id) WHERE batch_id IS NOT NULL;
CREATE INDEX decisions_by_time ON decisions (decided_at);

-- A decision for which a site wants two pairs of eyes, while it waits for the second.
CREATE TABLE second_opinions (
    comment_id BIGINT PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    moderator_id BIGINT NOT NULL,
    to_status TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_at BIGINT NOT NULL
);

-- Who is at work on what, until when.
CREATE TABLE claims (
    comment_id BIGINT PRIMARY KEY NOT NULL,
    moderator_id BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX claims_by_end ON claims (expires_at);

CREATE TABLE notes (
    id BIGINT PRIMARY KEY NOT NULL,
    comment_id BIGINT NOT NULL,
    moderator_id BIGINT NOT NULL,
    text TEXT NOT NULL,
    written_at BIGINT NOT NULL
);
CREATE INDEX notes_of_comment ON notes (comment_id, id);

-- What an edit replaced; the first of a comment is what its author sent.
CREATE TABLE revisions (
    id BIGINT PRIMARY KEY NOT NULL,
    comment_id BIGINT NOT NULL,
    version BIGINT NOT NULL, -- the comment's version that the edit made
    moderator_id BIGINT, -- empty: its author
    reason TEXT,
    text TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT,
    edited_at BIGINT NOT NULL
);
CREATE INDEX revisions_of_comment ON revisions (comment_id, version);

CREATE TABLE bans (
    id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT, -- empty: all sites
    kind TEXT NOT NULL, -- name, email, address, network
    value TEXT NOT NULL, -- as it was given
    low TEXT NOT NULL, -- what is compared: folded, or the first address of the network as in comment_lookup
    high TEXT NOT NULL, -- the same again, or the last address
    reason TEXT NOT NULL,
    moderator_id BIGINT NOT NULL,
    sweep_id BIGINT, -- the batch that decided what was there
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX bans_by_value ON bans (kind, low);

-- What readers say against a published comment; each once.
CREATE TABLE reports (
    id BIGINT PRIMARY KEY NOT NULL,
    comment_id BIGINT NOT NULL,
    reporter BIGINT NOT NULL, -- keyed hash of the address
    reason TEXT NOT NULL,
    text TEXT,
    reported_at BIGINT NOT NULL,
    answered_by BIGINT -- the decision
);
CREATE UNIQUE INDEX reports_of_comment ON reports (comment_id, reporter);
