# Shared by deploy/backup and deploy/restore: what an archive is, and how to reach what it is made of.
# shellcheck shell=bash
FORMAT=1
DATABASES=(airflow tessera superset)
COMPOSE=${COMPOSE:-$(command -v docker-compose >/dev/null 2>&1 && echo docker-compose || echo docker compose)}

fail() {
  echo "Error: $*" >&2
  exit 1
}

# The env file that compose reads: --env-file of COMPOSE, else .env.
env_file() {
  local words=($COMPOSE) i
  for i in "${!words[@]}"; do
    [ "${words[i]}" != --env-file ] || { echo "${words[i + 1]}"; return; }
  done
  echo .env
}

# A hash that tells two keys apart and gives neither away: the keys are random, 32 bytes long.
fingerprint() {
  local value
  value=$(sed -n "s/^$1=//p" "$(env_file)" | tail -n 1)
  [ -n "$value" ] || fail "$1 is missing in $(env_file)"
  printf 'tessera:%s' "$value" | sha256sum | cut -c1-16
}

# A command with the volumes of the tasks, and without their services.
in_volumes() {
  $COMPOSE run --rm --no-deps -T --entrypoint bash scheduler -ec "$1"
}

in_postgres() {
  $COMPOSE exec -T postgres "$@"
}

has_database() {
  [ "$(in_postgres psql --username airflow -XAtc "select 1 from pg_database where datname = '$1'")" = 1 ]
}

postgresql_version() {
  in_postgres psql --username airflow -XAtc "select current_setting('server_version_num')::int / 10000"
}
