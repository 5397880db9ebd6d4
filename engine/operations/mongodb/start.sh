#!/usr/bin/env bash
# Starts a member of the replica set.
set -euo pipefail
# A key file must belong to the server's user and be closed to all others, which a mounted secret
# seldom is: so a copy of it is used.
install --owner=mongodb --group=mongodb --mode=400 /run/secrets/mongodb_key /run/mongodb.key
# The first member makes the user root when its folder is empty; the others get him from it. Read
# here, as the image would read it as a user who may not.
if [[ -f /run/secrets/mongodb_root_password ]]; then
    MONGO_INITDB_ROOT_USERNAME=root
    MONGO_INITDB_ROOT_PASSWORD=$(< /run/secrets/mongodb_root_password)
    export MONGO_INITDB_ROOT_USERNAME MONGO_INITDB_ROOT_PASSWORD
fi
exec docker-entrypoint.sh mongod \
    --bind_ip_all \
    --replSet comanda \
    --keyFile /run/mongodb.key \
    --wiredTigerCacheSizeGB "${CACHE_GIB:-0.5}" \
    --setParameter transactionLifetimeLimitSeconds=10
