#!/bin/sh
# What history costs: the same writes with it and without, in alternating rounds, as medians.
# Uses a PostgreSQL of its own, started by the program as in service; nothing is left behind.
set -eu
program=${1:?usage: cost_of_history.sh path/to/ward-policy}
here=$(dirname "$0")
place=$(mktemp -d)
chmod 755 "$place"
port=${PORT:-18086}
export WARD_POLICY_DATA="$place/data" WARD_POLICY_BIND="127.0.0.1:$port"
unset DATABASE_URL
"$program" 2>"$place/log" &
service=$!
trap 'kill $service 2>/dev/null; wait $service 2>/dev/null || true; rm -rf "$place"' EXIT
for _ in $(seq 100); do
    curl -sf "http://127.0.0.1:$port/readyz" >/dev/null && break
    kill -0 $service || { cat "$place/log"; exit 1; }
    sleep 0.1
done

socket=$(dirname "$(find "$place/data" -name '.s.PGSQL.5432' -print -quit)")
ask() { psql -X -q -v ON_ERROR_STOP=1 -h "$socket" -p 5432 -U ward_policy "$@"; }

# Two databases with the same schema; in one of them nothing keeps history.
for database in kept plain; do
    ask -d ward_policy -c "create database $database"
    DATABASE_URL="postgresql://ward_policy@/$database?host=$socket&port=5432" "$program" migrate 2>>"$place/log"
done
ask -d plain -At <<'SQL'
select format('alter table %s disable trigger %I', tgrelid::regclass, tgname) from pg_trigger
where tgname ~ '_history$' and not tgisinternal \gexec
SQL
for database in kept plain; do ask -d $database -f "$here/cost_of_history/prepare.sql" >/dev/null; done
for round in $(seq 0 10); do
    for database in kept plain; do
        ask -d $database -v round="$round" -v database=$database -f "$here/cost_of_history/round.sql" >/dev/null
    done
done
numbers() { ask -d "$1" -At -F ' ' -c "select what, percentile_cont(0.5) within group (order by ms), min(unit) from measured group by what order by what"; }
numbers kept >"$place/kept"
numbers plain >"$place/plain"
printf '%-44s %12s %12s %7s\n' 'median, ms' 'with history' 'without' 'ratio'
join "$place/kept" "$place/plain" | while read -r what kept words plain _; do
    awk -v w="$words" -v k="$kept" -v p="$plain" 'BEGIN { gsub("_", " ", w); printf "%-44s %12.2f %12.2f %6.2fx\n", w, k, p, k / p }'
done

# Over HTTP: a result of a policy whose results are public, with its revision, and of a draft.
ask -d ward_policy -f "$here/cost_of_history/publish.sql" >/dev/null
token='Authorization: Bearer wardpolicy_000000000000_secret'
at="http://127.0.0.1:$port/v1"
curl -sf -H "$token" "$at/policies/nishi/2024/tree" |
    sed -e 's/"id":"[^"]*"/"id":null/g' -e 's/"series_id":"[^"]*"/"series_id":null/g' -e 's/"fiscal_year":2024,"revision"/"fiscal_year":2025,"revision"/' \
        -e 's/"revision":[0-9]*/"revision":null/' -e 's/"results":\[[^]]*\]/"results":[]/g' >"$place/tree"
curl -sf -o /dev/null -X PUT -H "$token" -H 'If-None-Match: *' -H 'Content-Type: application/json' \
    --data-binary "@$place/tree" "$at/policies/nishi/2025/tree"
indicator() { ask -d ward_policy -At -c "select i.id from indicators i join policies p on p.id = i.policy_id where p.fiscal_year = $1 order by i.position, i.name limit 1"; }
public=$(indicator 2024)
draft=$(indicator 2025)
put() {
    printf '{"fiscal_year":%s,"value":%s,"cumulative_value":null,"numerator":null,"denominator":null,"sample_size":null,"value_status":"reported","observation_status":"final","text":null,"comment":null,"measured_on":null,"declared_rating":null,"stated_previous_value":null,"stated_previous_text":null}' "$2" "$3" |
        curl -sf -o /dev/null -w '%{time_total}\n' -X PUT -H "$token" -H "$4" -H 'Change-Reason: measured' \
            -H 'Content-Type: application/json' --data-binary @- "$at/indicators/$1/results/$2"
}
put "$public" 2024 0 'If-None-Match: *' >/dev/null
put "$draft" 2025 0 'If-None-Match: *' >/dev/null
for n in $(seq 60); do
    put "$public" 2024 "$n" 'If-Match: *' >>"$place/public"
    put "$draft" 2025 "$n" 'If-Match: *' >>"$place/draft"
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print 1000 * v[int((NR + 1) / 2)] }'; }
awk -v k="$(median "$place/public")" -v p="$(median "$place/draft")" \
    'BEGIN { printf "\n%-44s %12s %12s\n%-44s %12.2f %12.2f %6.2fx\n", "median, ms", "public", "draft", "PUT of a result over HTTP", k, p, k / p }'
