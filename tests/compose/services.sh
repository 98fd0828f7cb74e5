# shellcheck shell=bash
# For tests/compose/run: what docker-compose.yml says, done as an engine does it, and what must come of it.

# Where the database is; nobody who comes from there is 127.0.0.1.
database_address=10.89.0.2
# With what a shell, an address and a YAML file could stumble over.
export POSTGRES_PASSWORD=$' p w\'"@:/%41$HOME\\{ё}#'
# What a container may that is not told otherwise.
export USUAL_CAPABILITIES="CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"

declare -A keeper=() first=()

# The compose file as JSON, with the password where it belongs.
read_compose() {
    chroot "$tools" python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)' <docker-compose.yml |
        chroot "$tools" jq 'walk(if type == "string" then gsub("\\$\\{POSTGRES_PASSWORD:\\?[^}]*\\}"; env.POSTGRES_PASSWORD) else . end)' \
            >"$now/compose.json"
}

# What jq finds at a service.
of() {
    chroot "$tools" jq --raw-output ".services[\"$1\"] | $2" <"$now/compose.json"
}

# The same as words of a shell.
words_of() {
    of "$1" "$2 | @sh"
}

seconds() {
    of "$1" "$2 | rtrimstr(\"s\")"
}

# A network of nobody else's, where this machine's ports do not matter.
make_network() {
    touch "$now/net"
    unshare --net="$now/net" true
    inside_net chroot "$tools" ip link set lo up
    inside_net chroot "$tools" ip address add "$database_address/32" dev lo
    echo "127.0.0.1 localhost" >"$now/hosts"
    echo "nameserver 127.0.0.11" >"$now/resolv.conf"
}

inside_net() {
    nsenter --net="$now/net" "$@"
}

curl_to() {
    inside_net chroot "$tools" curl --silent --show-error --max-time 60 "$@"
}

# Everything of a service that both its first process and what is executed beside it need.
describe() {
    local user=0 group=0 base index may
    service=$1 system=$tools command=(/entrypoint) image_says=(HOME=/root PGDATA=/var/lib/postgresql/data)
    base=$path:/usr/lib/postgresql/17/bin
    if [ "$service" = ward-policy ]; then
        system=$root base=$path user=$image_user image_says=(HOME=/home/ward-policy "${image_env[@]}")
        group=$(awk -F : -v user="$user" '$3 == user { print $4 }' "$root/etc/passwd")
        eval "command=($(chroot "$tools" jq --raw-output @sh <<<"$entrypoint"))"
    fi
    eval "environment=($(words_of "$service" '.environment | to_entries | map("\(.key)=\(.value)")'))"
    eval "volumes=($(words_of "$service" '.volumes // []'))"
    eval "tmpfs=($(words_of "$service" '.tmpfs // []'))"
    # As the system sees it: /var/run is /run.
    for index in "${!tmpfs[@]}"; do
        tmpfs[index]=$(chroot "$system" realpath "${tmpfs[index]%%:*}"):${tmpfs[index]#*:}
    done
    read_only=$(of "$service" '.read_only // false')
    may=$(of "$service" '(.cap_drop // []) as $drop
        | (if $drop | index("ALL") then [] else (env.USUAL_CAPABILITIES | split(" ")) - $drop end) + (.cap_add // [])
        | map(",+" + ascii_downcase) | "-all" + add')
    confined=(setpriv --bounding-set="$may" --inh-caps=-all --ambient-caps=-all --reuid="$user" --regid="$group" --clear-groups)
    [ "$(of "$service" '.security_opt // [] | index("no-new-privileges:true")')" = null ] || confined+=(--no-new-privs)
    confined+=(env -i PATH="$base" "${image_says[@]}" "${environment[@]}")
}

# A new volume is filled from the image, and owned as it is there.
fill_volumes() {
    local volume kept at
    for volume in "${volumes[@]}"; do
        kept=$now/volumes/${volume%%:*} at=$system${volume#*:}
        if [ ! -e "$kept" ]; then
            mkdir -p "$kept"
            [ -d "$at" ] || { echo "the image has no ${volume#*:}, root would own it"; return 1; }
            cp -a "$at/." "$kept/" || return
        fi
    done
}

# Becomes a service, in namespaces of its own.
become() {
    local device mounted volume
    mount --bind "$system" "$system"
    mount -t proc proc "$system/proc"
    mount -t tmpfs -o nosuid,mode=755 tmpfs "$system/dev"
    for device in null zero full random urandom tty; do
        touch "$system/dev/$device"
        mount --bind "/dev/$device" "$system/dev/$device"
    done
    ln -s /proc/self/fd "$system/dev/fd"
    for device in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${device%:*}" "$system/dev/${device#*:}"; done
    mkdir "$system/dev/shm"
    mount -t tmpfs -o nosuid,nodev,noexec,size=64m,mode=1777 tmpfs "$system/dev/shm"
    for mounted in hosts resolv.conf; do
        touch "$system/etc/$mounted"
        mount --bind "$now/$mounted" "$system/etc/$mounted"
        mount -o remount,bind,ro "$system/etc/$mounted"
    done
    for mounted in "${tmpfs[@]}"; do
        mount -t tmpfs -o "nosuid,nodev,noexec,${mounted#*:}" tmpfs "$system${mounted%%:*}"
    done
    for volume in "${volumes[@]}"; do mount --bind "$now/volumes/${volume%%:*}" "$system${volume#*:}"; done
    [ "$read_only" != true ] || mount -o remount,bind,ro "$system"
    cd "$system" || exit
    exec chroot . "${confined[@]}" "${command[@]}"
}

start() {
    local pid
    describe "$1"
    fill_volumes >"$log" || fail "$(cat "$log")"
    nsenter --net="$now/net" unshare --mount --pid --ipc --uts --fork --kill-child bash -euc "$(
        declare -p now system tmpfs volumes read_only confined command
        declare -f become
    ); become" >>"$now/$1.log" 2>&1 &
    keeper[$1]=$!
    # Until its root is its own, there is nothing to execute anything beside.
    until pid=$(cat "/proc/${keeper[$1]}/task/${keeper[$1]}/children" 2>/dev/null) && [ -n "$pid" ] &&
        [ "$(readlink "/proc/${pid% }/root")" = "$system" ]; do
        kill -0 "${keeper[$1]}" 2>/dev/null || fail "$1: $(tail -n 5 "$now/$1.log")"
        sleep 0.1
    done
    first[$1]=${pid% }
}

# Executes something beside a service's first process: as its user, with its environment.
beside() {
    describe "$1"
    nsenter --target "${first[$1]}" --mount --net --pid --ipc --uts --root --wd "${confined[@]}" "${@:2}"
}

ward_policy() {
    beside ward-policy ward-policy "$@"
}

healthy() {
    local health
    eval "health=($(words_of "$1" .healthcheck.test))"
    [ "${health[0]}" = CMD ] && beside "$1" timeout "$(seconds "$1" .healthcheck.timeout)" "${health[@]:1}"
}

# Waits at most so many seconds for a command to succeed.
within() {
    local left=$1
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 1
    done
}

healthy_in_time() {
    within "$(seconds "$1" .healthcheck.start_period)" healthy "$1"
}

status_of() {
    curl_to --output /dev/null --write-out '%{http_code}' "$@"
}

ready() {
    [ "$(status_of http://127.0.0.1:8080/readyz)" = 200 ]
}

confined_as() {
    local pid=${first[$1]}
    cat "/proc/$pid/status"
    [ "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' "/proc/$pid/status")" = "$2 $2 $2 $2" ]
    grep -qx "NoNewPrivs:	1" "/proc/$pid/status"
    [ "$(awk '$1 ~ /^Cap(Inh|Prm|Eff|Amb):/ { print $2 }' "/proc/$pid/status" | sort -u)" = 0000000000000000 ]
    [ "$(awk '$1 == "CapBnd:" { print $2 }' "/proc/$pid/status")" = "$3" ]
}

# Whatever of a system its user might write, but for /proc, /dev and what is mounted to be written.
nothing_is_writable() {
    local places=(-path /proc -o -path /sys -o -path /dev) mounted found
    describe "$1"
    for mounted in "${tmpfs[@]}"; do places+=(-o -path "${mounted%%:*}"); done
    for mounted in "${volumes[@]}"; do places+=(-o -path "${mounted#*:}"); done
    found=$(beside "$1" find / \( "${places[@]}" \) -prune -o ! -type l -writable -print 2>&1 | grep -v 'Permission denied' || true)
    echo "$found"
    [ -z "$found" ]
    { beside "$1" touch /usr/local/bin/anything || true; } 2>&1 | grep 'Read-only file system'
}

psql_as_owner() {
    beside database psql --username=ward_policy --dbname=ward_policy --no-align --tuples-only --command "$1"
}

initialised_as_said() {
    psql_as_owner "select version()"
    [ "$(psql_as_owner "select pg_encoding_to_char(encoding), datcollate, datctype from pg_database where datname = 'ward_policy'")" \
        = "UTF8|C.UTF-8|C.UTF-8" ]
}

asks_for_the_password() {
    psql_as_owner "select rolpassword from pg_authid where rolname = 'ward_policy'" | grep '^SCRAM-SHA-256\$'
    { beside ward-policy env PGPASSWORD=another ward-policy verify || true; } 2>&1 | grep 'password authentication failed'
}

make_token() {
    ward_policy token create --name compose --scope admin >"$now/token"
    grep -q '^wardpolicy_' "$now/token"
}

write_with_token() {
    curl_to --fail-with-body --request POST --header "Authorization: Bearer $(cat "$now/token")" --header "Change-Reason: compose" \
        --header "$1" "${@:3}" --data-binary @- "http://127.0.0.1:8080$2"
}

import_by_command() {
    ward_policy import --reason "compose" /dev/stdin <tests/forms/konohana-2023.txt
}

# Every table in every form.
export_urls() {
    local format
    chroot "$tools" jq --raw-output '.paths | to_entries[] | select(.key | startswith("/v1/exports/")) | .key as $path
        | .value.get.parameters | map({key: .name, value: (.schema.enum // [])}) | from_entries
        | (.format[] | "\($path)?format=\(.)"), "\($path)?bom=true",
          (.names[] | "\($path)?names=\(.)"), (.encoding[] | "\($path)?encoding=\(.)")' <openapi/openapi.json
    for format in csv xlsx; do echo "/v1/exports/results?template=true&organization=nishi&fiscal_year=2024&format=$format"; done
}

exports() {
    local status
    status=$(curl_to --output - --write-out '%{stderr}%{http_code}' "http://127.0.0.1:8080$1" 2>&1 >"$now/export")
    head -c 300 "$now/export"
    [ "$status" = 200 ]
    # More than a head.
    case $1 in
    *format=xlsx*) [ "$(head -c 2 "$now/export")" = PK ] ;;
    *format=ndjson*) chroot "$tools" jq --exit-status .license <"$now/export" >/dev/null ;;
    *) [ "$(wc -l <"$now/export")" -gt 1 ] ;;
    esac
}

tells_metrics() {
    curl_to --fail http://127.0.0.1:9464/metrics | grep '^ward_policy_'
    [ "$(status_of http://127.0.0.1:8080/metrics)" = 404 ]
}

backs_up() {
    local kept=$now/volumes/backups/2026-11-30
    ward_policy backup /backups/2026-11-30
    [ "$(stat --format '%a %u' "$kept")" = "700 $image_user" ]
    [ -s "$kept/dump" ] && [ -s "$kept/manifest.json" ]
}

restores() {
    beside database createdb --username=ward_policy again
    beside ward-policy env DATABASE_URL=postgresql://ward_policy@database/again ward-policy restore /backups/2026-11-30
}

# Stops a service as an engine does, which would kill it after its time of grace.
stops() {
    kill -s "$2" "${first[$1]}"
    within "$(seconds "$1" .stop_grace_period)" gone "${first[$1]}" || { kill -KILL "${first[$1]}"; return 1; }
    tail -n 5 "$now/$1.log"
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

stop() {
    local status=0
    passes "$1 stops in time" stops "$1" "$2"
    wait "${keeper[$1]}" || status=$?
    passes "$1 ends without a failure" test "$status" -eq 0
}

what_there_is() {
    curl_to --fail 'http://127.0.0.1:8080/v1/exports/results?format=ndjson'
}

check_services() {
    local url postgres
    install --mode=755 tests/compose/postgres "$tools/entrypoint"
    passes "docker-compose.yml can be read" read_compose
    told "$(of database .image)" "$(chroot "$tools" /usr/lib/postgresql/17/bin/postgres --version | cut -d ' ' -f 3)"
    passes "a network" make_network
    [ "$failed" -eq 0 ] || return 0

    start ward-policy
    passes "the service is healthy before there is a database" healthy_in_time ward-policy
    passes "and not ready" test "$(status_of http://127.0.0.1:8080/readyz)" = 503
    start database
    echo "$database_address database" >>"$now/hosts"
    passes "the database is healthy in time" healthy_in_time database
    passes "the service is ready then" within 20 ready
    passes "the service is healthy" healthy ward-policy
    passes "the service is $image_user and has no capability" confined_as ward-policy "$image_user" 0000000000000000
    postgres=$(awk -F : '$1 == "postgres" { print $3 }' "$tools/etc/passwd")
    # Its entrypoint's: CHOWN (bit 0), DAC_OVERRIDE (1), FOWNER (3), SETGID (6), SETUID (7).
    passes "the database is postgres, has no capability and could only get five" confined_as database "$postgres" 00000000000000cb
    passes "the service can write nothing but its volume and tmpfs" nothing_is_writable ward-policy
    passes "the database can write nothing but its volume and tmpfs" nothing_is_writable database
    passes "the database is initialised as the compose file says" initialised_as_said
    passes "its password is kept and asked for by SCRAM" asks_for_the_password

    passes "a token" make_token
    passes "results are written with it" write_with_token 'Content-Type: text/plain; charset=utf-8' /v1/imports/forms <tests/forms/nishi-2024-results.txt
    passes "and published" write_with_token 'Content-Type: application/json' /v1/policies/nishi/2024/publications --header 'If-Match: *' <<<'{"kind": "results"}'
    passes "a form is imported by the command" import_by_command
    while read -r url <&5; do passes "GET $url" exports "$url"; done 5< <(export_urls)
    passes "metrics are told on their port alone" tells_metrics
    passes "a backup is made in its volume, for its owner's eyes" backs_up
    passes "and restored" restores

    passes "something is there" what_there_is
    mv "$log" "$now/before"
    stop ward-policy TERM
    stop database INT
    start database
    passes "the database starts on what it kept" healthy_in_time database
    start ward-policy
    passes "the service is ready again" within 20 ready
    passes "nothing is lost" cmp <(what_there_is) "$now/before"
    stop ward-policy TERM
    stop database INT
}
