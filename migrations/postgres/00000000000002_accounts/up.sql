-- Only adds: a program of the version before can go on running beside this one.

-- Who was removed stays as a row, disabled and with a name that stays taken, so that history can name them.
ALTER TABLE moderators ADD COLUMN removed_at BIGINT;
-- The second factor: its secret (sealed under the installation's), empty while there is none; when the first right code
-- confirmed it; and the time step of the last code that was taken, because a code is taken once.
ALTER TABLE moderators ADD COLUMN totp_secret BYTEA;
ALTER TABLE moderators ADD COLUMN totp_confirmed_at BIGINT;
ALTER TABLE moderators ADD COLUMN totp_last_step BIGINT;

-- What takes the place of a code when the device is lost, by SHA-256; each once.
CREATE TABLE recovery_codes (
    hash BYTEA PRIMARY KEY NOT NULL,
    moderator_id BIGINT NOT NULL REFERENCES moderators (id) ON DELETE CASCADE,
    used_at BIGINT
);
CREATE INDEX recovery_codes_of_moderator ON recovery_codes (moderator_id);

-- Keys for programs, by SHA-256. A key never may more than its owner at that moment.
CREATE TABLE api_keys (
    id BIGINT PRIMARY KEY NOT NULL,
    moderator_id BIGINT NOT NULL REFERENCES moderators (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL,
    scopes TEXT NOT NULL, -- JSON: ["review:read"]
    sites TEXT, -- JSON: [1, 7], ids; empty: all of its owner's
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash);
CREATE INDEX api_keys_of_moderator ON api_keys (moderator_id);

-- Links by which somebody sets a new password, by SHA-256 of what is in them; each once.
CREATE TABLE password_resets (
    hash BYTEA PRIMARY KEY NOT NULL,
    moderator_id BIGINT NOT NULL REFERENCES moderators (id) ON DELETE CASCADE,
    created_by BIGINT, -- empty: the command line
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX password_resets_of_moderator ON password_resets (moderator_id);

-- What access tokens are signed with: the newest signs, those before it verify until what they signed has expired.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY NOT NULL,
    sealed BYTEA NOT NULL,
    is_sealed BOOLEAN NOT NULL, -- whether it is encrypted under the operator's secret, or there is none
    created_at BIGINT NOT NULL
);

-- Who did what. Written in the transaction of the act itself, without a place in the chain, so that no node waits for
-- another; a sealer numbers the entries and chains them later. Nothing here refers to other tables by a constraint: what
-- is said about a thing outlives it.
CREATE TABLE audit_entries (
    id BIGINT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    actor_id BIGINT, -- the moderator; empty: nobody that is known, or the command line
    api_key_id BIGINT, -- when a program acted with a moderator's key
    action TEXT NOT NULL,
    site_id BIGINT, -- empty: it concerns no one site
    subject_kind TEXT, -- what it was done to: comment, moderator, session, …
    subject_id BIGINT,
    facts TEXT NOT NULL, -- JSON: from, to, reason, …; nothing personal
    -- JSON: what is personal (addresses, user agents, names). Of it the chain covers only the hash, SHA-256 of salt and
    -- text, so that erasing both leaves a chain that still verifies.
    private TEXT,
    salt BYTEA,
    private_hash BYTEA,
    -- Its place in the chain, and the hash of it and all before it; both empty until it is sealed.
    seq BIGINT,
    hash BYTEA,
    CHECK ((private IS NULL) = (salt IS NULL)),
    CHECK ((seq IS NULL) = (hash IS NULL))
);
CREATE UNIQUE INDEX audit_entries_by_seq ON audit_entries (seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_entries_unsealed ON audit_entries (id) WHERE seq IS NULL;
-- What lists go by is indexed when an entry is sealed, so that whoever acts does not pay for it.
CREATE INDEX audit_entries_by_time ON audit_entries (at, id) WHERE seq IS NOT NULL;
CREATE INDEX audit_entries_of_site ON audit_entries (site_id, at, id) WHERE seq IS NOT NULL;
CREATE INDEX audit_entries_of_actor ON audit_entries (actor_id, at, id) WHERE seq IS NOT NULL;
CREATE INDEX audit_entries_of_action ON audit_entries (action, at, id) WHERE seq IS NOT NULL;

-- Append-only: what may change is that an entry is sealed, once, and that what is personal is erased.
CREATE FUNCTION keep_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.seq IS NOT NULL THEN
            RAISE EXCEPTION 'audit entries are only ever added, unsealed';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'audit entries are not deleted';
    END IF;
    IF NEW.id IS DISTINCT FROM OLD.id
        OR NEW.at IS DISTINCT FROM OLD.at
        OR NEW.actor_id IS DISTINCT FROM OLD.actor_id
        OR NEW.api_key_id IS DISTINCT FROM OLD.api_key_id
        OR NEW.action IS DISTINCT FROM OLD.action
        OR NEW.site_id IS DISTINCT FROM OLD.site_id
        OR NEW.subject_kind IS DISTINCT FROM OLD.subject_kind
        OR NEW.subject_id IS DISTINCT FROM OLD.subject_id
        OR NEW.facts IS DISTINCT FROM OLD.facts
        OR NEW.private_hash IS DISTINCT FROM OLD.private_hash
        OR (NEW.private IS DISTINCT FROM OLD.private AND NEW.private IS NOT NULL)
        OR (NEW.salt IS DISTINCT FROM OLD.salt AND NEW.salt IS NOT NULL)
        OR ((NEW.seq IS DISTINCT FROM OLD.seq OR NEW.hash IS DISTINCT FROM OLD.hash) AND OLD.seq IS NOT NULL)
    THEN
        RAISE EXCEPTION 'audit entries do not change';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_entries_only_unsealed BEFORE INSERT ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION keep_audit_entries();
CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION keep_audit_entries();
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION keep_audit_entries();
CREATE TRIGGER audit_entries_not_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_entries();
