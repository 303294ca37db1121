#!/bin/sh
# Fuzzes a running program from its own OpenAPI document, with every check that schemathesis has, for each database.
#
#   pip install schemathesis && cargo build && tests/fuzz-openapi.sh
#
# REJOINDER_BIN names another program than target/debug/rejoinder, FUZZ_EXAMPLES (50) how many examples each operation
# gets, FUZZ_SECONDS (600, less than an access token lasts) when a run ends. With TEST_POSTGRES_URL it is run on
# PostgreSQL too, in a schema of its own. What is left out, and which refusals are expected, stands in
# tests/fuzz-openapi.toml with the reasons.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${REJOINDER_BIN:-$here/../target/debug/rejoinder}
work=$(mktemp -d)
server=
schema="fuzz_$$"
clean() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "${TEST_POSTGRES_URL:-}" ] || psql -qc "DROP SCHEMA IF EXISTS $schema CASCADE" "$TEST_POSTGRES_URL" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

run() { # run NAME DATABASE_URL
    name=$1
    export REJOINDER_DATABASE_URL="$2" REJOINDER_LISTEN=127.0.0.1:0 REJOINDER_LIMITS=off REJOINDER_LOG=error,actix_http=off
    cd "$work"
    echo 'a password for the fuzzer' | "$program" moderator add fuzzer --role admin --password-stdin
    "$program" article add --site main --key an-article --title 'An article' --url https://news.example/an-article
    "$program" generate --comments 200 >/dev/null
    "$program" serve >"$work/$name.out" 2>"$work/$name.err" &
    server=$!
    base=
    while [ -z "$base" ]; do
        kill -0 "$server"
        base=$(sed -n 's/^listening on //p' "$work/$name.out")
        sleep 0.1
    done
    token=$(curl -s "$base/api/v1/session" -H 'Content-Type: application/json' \
        -d '{"username": "fuzzer", "password": "a password for the fuzzer"}' |
        sed 's/.*"access_token":"\([^"]*\)".*/\1/')
    FUZZ_PERSON=$(curl -s "$base/api/v1/moderators" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d '{"username": "somebody", "role": "moderator", "sites": ["main"]}' | sed 's/^{"id":\([0-9]*\),.*/\1/')
    export FUZZ_PERSON
    echo "== $name"
    status=0
    schemathesis --config-file "$here/fuzz-openapi.toml" run "$base/openapi.json" \
        --header "Authorization: Bearer $token" \
        --max-examples "${FUZZ_EXAMPLES:-50}" --max-time "${FUZZ_SECONDS:-600}" --continue-on-failure || status=$?
    kill "$server"
    wait "$server" || true
    server=
    # What the server did not mean to answer it has logged.
    ! grep -q . "$work/$name.err" || { cat "$work/$name.err"; status=1; }
    return $status
}

failed=0
run sqlite "sqlite:$work/fuzz.db" || failed=1
if [ -n "${TEST_POSTGRES_URL:-}" ]; then
    psql -qc "CREATE SCHEMA $schema" "$TEST_POSTGRES_URL"
    case $TEST_POSTGRES_URL in *\?*) join='&' ;; *) join='?' ;; esac
    run postgres "$TEST_POSTGRES_URL${join}options=-csearch_path%3D$schema" || failed=1
else
    echo 'TEST_POSTGRES_URL is not set: PostgreSQL was NOT tested.'
fi
exit $failed
