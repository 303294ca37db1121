-- Only adds: a program of the version before can go on running beside this one.

-- What is to be sent, written in the transaction that causes it, and what became of it.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL, -- verification
    payload TEXT NOT NULL, -- JSON: what it is made of when it is sent, such as {"comment": 7}
    recipient TEXT, -- in lower case; cleared some time after it was sent or given up
    caused_by BIGINT, -- keyed hash of the network address that caused it; cleared alike
    once BYTEA NOT NULL, -- keyed hash of what there may be only one of
    state TEXT NOT NULL, -- waiting, sent, refused, failed, dropped
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL, -- when it is tried next; while somebody is at it, when that is given up
    last_error TEXT, -- in words of ours
    created_at BIGINT NOT NULL,
    ended_at BIGINT -- when it ceased to wait
);
CREATE UNIQUE INDEX outbox_once ON outbox (once);
CREATE INDEX outbox_waiting ON outbox (next_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_by_recipient ON outbox (recipient, created_at) WHERE recipient IS NOT NULL;
CREATE INDEX outbox_by_cause ON outbox (caused_by, created_at) WHERE caused_by IS NOT NULL;
CREATE INDEX outbox_uncleared ON outbox (ended_at) WHERE recipient IS NOT NULL AND ended_at IS NOT NULL;

-- Emails that somebody has shown to be theirs, each on one site.
CREATE TABLE verified_emails (
    id BIGINT PRIMARY KEY NOT NULL,
    site_id BIGINT NOT NULL,
    email TEXT NOT NULL, -- in lower case
    verified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX verified_emails_by_email ON verified_emails (email, site_id);

-- Comments that were shown to be by who has their email.
CREATE TABLE comment_proofs (
    comment_id BIGINT PRIMARY KEY NOT NULL,
    email_id BIGINT NOT NULL,
    proven_at BIGINT NOT NULL
);
CREATE INDEX comment_proofs_of_email ON comment_proofs (email_id, comment_id);

-- Browsers in which an email was verified, by the SHA-256 of what their cookie names them by.
CREATE TABLE remembered_browsers (
    browser BYTEA NOT NULL,
    email_id BIGINT NOT NULL,
    bound_at BIGINT NOT NULL,
    PRIMARY KEY (browser, email_id)
);
CREATE INDEX remembered_browsers_by_age ON remembered_browsers (bound_at);
CREATE INDEX remembered_browsers_of_email ON remembered_browsers (email_id);
