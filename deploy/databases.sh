#!/bin/sh
# Run once by the PostgreSQL image: a role and a database for each service, closed to the others.
set -eu

for name in identity directory certificates notifications temporal; do
    password=$(printenv "$(echo "$name" | tr a-z A-Z)_PASSWORD")
    psql --username postgres --set ON_ERROR_STOP=1 --set name="$name" --set password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
SQL
done
psql --username postgres --set ON_ERROR_STOP=1 <<'SQL'
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT, TEMPORARY ON DATABASE temporal_visibility FROM PUBLIC;
SQL
