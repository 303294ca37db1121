DROP TABLE audit_entries;
DROP TABLE signing_keys;
DROP TABLE password_resets;
DROP TABLE api_keys;
DROP TABLE recovery_codes;
ALTER TABLE moderators DROP COLUMN totp_last_step;
ALTER TABLE moderators DROP COLUMN totp_confirmed_at;
ALTER TABLE moderators DROP COLUMN totp_secret;
ALTER TABLE moderators DROP COLUMN removed_at;
