-- Times are milliseconds since 1970 in UTC. Ids come from id_blocks, never from the database's own counters, so
-- that an id (and the receipt made from it) is known before anything is written, and is never used twice.

CREATE TABLE id_blocks (
    name TEXT PRIMARY KEY NOT NULL,
    next BIGINT NOT NULL
);
INSERT INTO id_blocks (name, next) VALUES ('ids', 2);

-- The installation's own secret, when the operator gave none.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY NOT NULL,
    value BYTEA NOT NULL
);

-- What is written to see whether there is room.
CREATE TABLE trials (
    name TEXT PRIMARY KEY NOT NULL,
    filler BYTEA NOT NULL
);

-- How far each background job has come.
CREATE TABLE job_marks (
    name TEXT PRIMARY KEY NOT NULL,
    mark BIGINT NOT NULL
);

CREATE TABLE sites (
    id BIGINT PRIMARY KEY NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    origins TEXT NOT NULL,  -- JSON: ["https://news.example"]
    settings TEXT NOT NULL, -- JSON: what differs from the defaults
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sites_by_key ON sites (key);
INSERT INTO sites (id, key, name, language, origins, settings, created_at)
VALUES (1, 'main', 'Main', 'en', '[]', '{}', CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT));

CREATE TABLE articles (
    id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT NOT NULL REFERENCES sites (id),
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT NOT NULL,
    summary TEXT,
    policy TEXT, -- overrides the site's
    comments_open BOOLEAN NOT NULL,
    comments_close_at BIGINT,
    published BIGINT NOT NULL, -- how many comments are published
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX articles_by_key ON articles (site_id, key);

CREATE TABLE comments (
    id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT NOT NULL,
    article_id BIGINT NOT NULL REFERENCES articles (id),
    -- Where it was written: the comment replied to, every comment above it ('/7/12/', '' for a root), and the
    -- root of its thread with that root's time.
    parent_id BIGINT,
    ancestors TEXT NOT NULL,
    thread_id BIGINT NOT NULL,
    thread_at BIGINT NOT NULL,
    status TEXT NOT NULL, -- pending, approved, rejected, spam, trash, withdrawn, erased
    version BIGINT NOT NULL,
    -- What the reader sent, and from where.
    name TEXT NOT NULL,
    email TEXT,
    url TEXT,
    text TEXT NOT NULL,
    ip TEXT,
    user_agent TEXT,
    html TEXT NOT NULL, -- text, rendered and sanitised once
    size_bytes BIGINT NOT NULL, -- of text and html, so that a page can be cut before they are read
    moderator_id BIGINT, -- who wrote it, when it was a moderator
    duplicate_hash BIGINT, -- keyed hash of article, author and text; empty once it is out of the way
    created_at BIGINT NOT NULL, -- its place in every order; never before the comment it replies to
    received_at BIGINT NOT NULL,
    edited_at BIGINT,
    -- Where it stands among the published, while it is published itself.
    shown_parent_id BIGINT,
    shown_depth INTEGER NOT NULL,
    shown_replies BIGINT NOT NULL, -- direct replies shown
    shown_below BIGINT NOT NULL, -- all replies shown below it
    -- What screening said.
    held_because TEXT NOT NULL, -- JSON: reasons in words
    risk DOUBLE PRECISION NOT NULL, -- 0 to 1
    screening TEXT -- JSON: every rule and token behind the verdict
);
CREATE UNIQUE INDEX comments_by_duplicate_hash ON comments (duplicate_hash) WHERE duplicate_hash IS NOT NULL;
CREATE INDEX comments_of_article ON comments (article_id, status, created_at, id);
CREATE INDEX comments_of_thread ON comments (thread_id, created_at, id);
CREATE INDEX comments_queue ON comments (status, created_at, id);
CREATE INDEX comments_queue_of_site ON comments (site_id, status, created_at, id);
CREATE INDEX comments_roots ON comments (article_id, thread_at, thread_id, created_at, id)
    WHERE status = 'approved' AND shown_parent_id IS NULL;
CREATE INDEX comments_top_roots ON comments (article_id, shown_below DESC, thread_at, thread_id, created_at, id)
    WHERE status = 'approved' AND shown_parent_id IS NULL;

CREATE TABLE moderators (
    id BIGINT PRIMARY KEY NOT NULL,
    username TEXT NOT NULL,
    username_folded TEXT NOT NULL,
    display_name TEXT NOT NULL,
    -- What a name is compared by that may be mistaken for the display name.
    lookalike_a TEXT NOT NULL,
    lookalike_b TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    is_disabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX moderators_by_username ON moderators (username_folded);
CREATE INDEX moderators_by_lookalike_a ON moderators (lookalike_a);
CREATE INDEX moderators_by_lookalike_b ON moderators (lookalike_b);

CREATE TABLE moderator_sites (
    moderator_id BIGINT NOT NULL REFERENCES moderators (id) ON DELETE CASCADE,
    site_id BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    PRIMARY KEY (moderator_id, site_id)
);

CREATE TABLE sessions (
    id BIGINT PRIMARY KEY NOT NULL,
    moderator_id BIGINT NOT NULL REFERENCES moderators (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    ended_at BIGINT,
    address TEXT,
    user_agent TEXT
);
CREATE INDEX sessions_of_moderator ON sessions (moderator_id);

-- Every refresh token ever given in a session, by its SHA-256, so that a stolen one is recognised when it comes back.
CREATE TABLE refresh_tokens (
    hash BYTEA PRIMARY KEY NOT NULL,
    session_id BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);

CREATE TABLE decisions (
    id BIGINT PRIMARY KEY NOT NULL,
    comment_id BIGINT NOT NULL REFERENCES comments (id),
    moderator_id BIGINT, -- empty: screening decided
    from_status TEXT, -- empty: the comment was new
    to_status TEXT NOT NULL,
    reason TEXT,
    note TEXT, -- for colleagues
    message TEXT, -- for the author's receipt
    decided_at BIGINT NOT NULL,
    version BIGINT NOT NULL -- the comment's version that it made
);
CREATE UNIQUE INDEX decisions_of_comment ON decisions (comment_id, version);

-- What an Idempotency-Key was answered with: hashes of key and request, and what was made; never the answer itself.
CREATE TABLE idempotency_keys (
    key_hash BYTEA PRIMARY KEY NOT NULL,
    request_hash BYTEA NOT NULL,
    made_id BIGINT NOT NULL,
    status SMALLINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
