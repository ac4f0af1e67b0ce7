#!/usr/bin/env bash
# Install the engine on a Debian or Ubuntu host: user, folders, environment, configuration, units. Can be repeated.
# docs/deployment.md tells it step by step.
#
#   sudo deploy/install.sh              install; nothing is started
#   sudo deploy/install.sh --start      and start it in live mode, if the self-check lets it
#   deploy/install.sh --dry-run         only say what would be done
#
# PREFIX, CONFIG, STATE, UNITS, DESTDIR, SYSTEMCTL and PYTHON in the environment change places: see lib.sh.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

START=
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) DRY_RUN=yes ;;
    --start) START=yes ;;
    -h | --help)
      sed -n '2,10s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *) die "argument '$1'; allowed are --start, --dry-run and --help" ;;
  esac
  shift
done

[ -n "$DESTDIR$DRY_RUN" ] || [ "$(id -u)" = 0 ] || die "root is needed: sudo $0 (or --dry-run, or DESTDIR=folder)"

# --- the host --------------------------------------------------------------------------------------------------
if [ -z "$DESTDIR" ]; then
  if command -v apt-get > /dev/null; then
    missing=()
    command -v make > /dev/null || missing+=(make)
    python3 -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)
    if [ "${#missing[@]}" -gt 0 ]; then
      run apt-get update -qq
      run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    fi
  else
    say "no apt-get here: Python 3.11 with venv, make and systemd must be there already"
  fi
  id -u "$NAME" > /dev/null 2>&1 ||
    run useradd --system --home-dir "$STATE" --shell /usr/sbin/nologin --user-group "$NAME"
fi
if [ -n "$DRY_RUN" ]; then
  python=${PYTHON:-python3.11}
else
  python=$(find_python)
fi

# --- folders ---------------------------------------------------------------------------------------------------
own() { # of the engine's user, where there is one
  [ -n "$DESTDIR" ] || run chown "$NAME:$NAME" "$@"
}
run install -d -m 755 "$DESTDIR$PREFIX" "$DESTDIR$PREFIX/releases"
run install -d -m 755 "$DESTDIR$CONFIG/config"
run install -d -m 700 "$DESTDIR$CONFIG/secrets" "$DESTDIR$STATE" "$DESTDIR$STATE/backups"
own "$DESTDIR$STATE" "$DESTDIR$STATE/backups"

# --- the program -----------------------------------------------------------------------------------------------
name=$(release_name)
make_release "$name" "$python"
if [ -e "$DESTDIR$PREFIX/current" ] && [ "$(readlink "$DESTDIR$PREFIX/current")" != "releases/$name" ]; then
  say "another release is current: deploy/upgrade.sh changes it without losing a hedge"
else
  switch_to "$name"
fi

# --- configuration and secrets: what is there is never touched -------------------------------------------------
for file in "$SOURCE"/config/*.yaml; do
  target=$DESTDIR$CONFIG/config/$(basename "$file")
  [ -e "$target" ] || run install -m 644 "$file" "$target"
done
token=$DESTDIR$CONFIG/secrets/web-token
if [ ! -e "$token" ]; then
  if [ -n "$DRY_RUN" ]; then
    say "would write: $token, a random token, mode 0600"
  else
    (umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' > "$token")
  fi
fi
check_config "$DESTDIR$PREFIX/releases/$name"

# --- services --------------------------------------------------------------------------------------------------
install_units "$SOURCE"
missing=()
for secret in okx-api-key okx-api-secret okx-passphrase watchdog-okx-api-key watchdog-okx-api-secret \
  watchdog-okx-passphrase; do
  [ -s "$DESTDIR$CONFIG/secrets/$secret" ] || missing+=("$secret")
done
if [ -n "$START" ] && [ "${#missing[@]}" -gt 0 ]; then
  die "not started: $CONFIG/secrets lacks ${missing[*]}; each is a file with one line, mode 0600"
fi
if [ -n "$START" ]; then
  say "self-check of live mode: it asks every question and changes nothing"
  own_run=(runuser -u "$NAME" --)
  [ -z "$DESTDIR" ] || own_run=()
  secrets=$DESTDIR$CONFIG/secrets
  # The files are root's: the check gets them as the unit would, copied for the engine's user and gone afterwards.
  keys=$(mktemp -d)
  trap 'rm -rf "$keys"' EXIT
  run install -m 600 "$secrets"/okx-* "$keys"
  own -R "$keys"
  run env -C "$DESTDIR$PREFIX/current" "${own_run[@]}" env OKX_API_KEY_FILE="$keys/okx-api-key" \
    OKX_API_SECRET_FILE="$keys/okx-api-secret" OKX_PASSPHRASE_FILE="$keys/okx-passphrase" \
    .venv/bin/python scripts/bootstrap.py --mode live --config "$DESTDIR$CONFIG/config" --data "$DESTDIR$STATE" ||
    die "not started: the self-check refuses; it says above what to do"
  control enable --now "$NAME.service" funding-watchdog.service funding-backup.timer
  say "started: systemctl status $NAME, journalctl -u $NAME -f"
  exit 0
fi

say "installed $name; nothing was started. Next:"
say "  1. the keys, one line a file, mode 0600, in $CONFIG/secrets: ${missing[*]:-all there}"
say "  2. $CONFIG/config: venue, total_capital, dry_run: false"
say "  3. $0 --start: the self-check, and only if it lets it the engine, its watchdog and the backup timer"
