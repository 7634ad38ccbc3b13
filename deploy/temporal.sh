#!/bin/sh
# Prepares Temporal: its tables in PostgreSQL (`schema`), then our namespace and what its lists are searched by (`namespace`).
set -eu

schema() {
    for pair in temporal:temporal temporal_visibility:visibility; do
        database=${pair%%:*} folder=${pair##*:}
        tool="temporal-sql-tool --plugin postgres12 --ep $SQL_HOST --port $SQL_PORT --user $SQL_USER --db $database"
        $tool setup-schema -v 0.0
        $tool update-schema -d "/etc/temporal/schema/postgresql/v12/$folder/versioned"
    done
}

namespace() {
    temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
        temporal operator namespace create --namespace default --retention 90d
    for pair in CertificateStatus:Keyword Awaited:KeywordList NextDeadline:Datetime; do
        temporal operator search-attribute create --namespace default --name "${pair%%:*}" --type "${pair##*:}"
    done
}

"$1"
