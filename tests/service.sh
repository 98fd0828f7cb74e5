# To be sourced, from the root of the repository: builds the service, and lets it run on a free port with a database of
# its own until the script ends. `place` is a directory for the script, URL and TOKEN say where the service is and who may
# do everything.
cargo build --locked --quiet
place=$(mktemp -d)
# PostgreSQL refuses root: another account must get there.
chmod 755 "$place"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export URL=http://127.0.0.1:$port

# Serves what is in a directory, with further settings, and waits until it does.
serve() {
    env "WARD_POLICY_DATA=$1" "WARD_POLICY_BIND=127.0.0.1:$port" RUST_LOG=warn "${@:2}" target/debug/ward-policy 2>"$place/log" &
    service=$!
    until curl --silent --fail --output "$place/readyz" "$URL/readyz"; do
        kill -0 "$service" || { cat "$place/log"; exit 1; }
        sleep 0.2
    done
    TOKEN=$(cat "$1/admin-token")
    export TOKEN
}

stop() {
    kill "$service" 2>/dev/null && wait "$service" || true
}
trap 'stop; rm -rf "$place"' EXIT

send() {
    curl --silent --show-error --fail --retry 5 --output "$place/answer" -H "Authorization: Bearer $TOKEN" -H "Change-Reason: test" "$@"
}

# Something to read and to change: results, published.
publish_results() {
    send -H 'Content-Type: text/plain; charset=utf-8' --data-binary @tests/forms/nishi-2024-results.txt "$URL/v1/imports/forms"
    send -H 'If-Match: *' --json '{"kind": "results"}' "$URL/v1/policies/nishi/2024/publications"
}
