#!/usr/bin/env bash
# Bring the installed engine to this source tree's version without losing a hedge. docs/deployment.md, "Upgrade".
#
#   sudo deploy/upgrade.sh              backup, verify, new beside old, self-check, restart, back if not ready
#   deploy/upgrade.sh --dry-run         only say what would be done
#
# The engine is away for some seconds; its hedges stand meanwhile, and their legs are watched by the watchdog.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
READY_WITHIN_S=${READY_WITHIN_S:-180}
KEPT=3

while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) DRY_RUN=yes ;;
    -h | --help)
      sed -n '2,7s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *) die "argument '$1'; allowed are --dry-run and --help" ;;
  esac
  shift
done

[ -n "$DESTDIR$DRY_RUN" ] || [ "$(id -u)" = 0 ] || die "root is needed: sudo $0 (or --dry-run, or DESTDIR=folder)"
[ -L "$DESTDIR$PREFIX/current" ] || [ -n "$DRY_RUN" ] || die "$DESTDIR$PREFIX/current is not there: deploy/install.sh first"

old=$(readlink "$DESTDIR$PREFIX/current" || say releases/none)
old=${old#releases/}
new=$(release_name)
[ "$old" != "$new" ] || {
  say "$new is current already"
  exit 0
}
as_engine=(runuser -u "$NAME" --)
[ -z "$DESTDIR" ] || as_engine=()
journal=$DESTDIR$STATE/journal.db
before=$DESTDIR$STATE/backups/before-upgrade

if [ -n "$DRY_RUN" ]; then
  python=${PYTHON:-python3.11}
else
  python=$(find_python)
fi

# --- while the old one runs ------------------------------------------------------------------------------------
make_release "$new" "$python"
check_config "$DESTDIR$PREFIX/releases/$new"
if [ -e "$journal" ] || [ -n "$DRY_RUN" ]; then
  say "backup of the books, verified"
  run env -C "$DESTDIR$PREFIX/current" "${as_engine[@]}" \
    .venv/bin/python main.py backup --data "$DESTDIR$STATE" --to "$before" --keep "$KEPT" ||
    die "no backup, no upgrade: nothing was changed"
  run env -C "$DESTDIR$PREFIX/releases/$new" "${as_engine[@]}" \
    .venv/bin/python main.py journal verify --data "$DESTDIR$STATE" ||
    die "the new version cannot read the journal: nothing was changed"
fi

# --- the change ------------------------------------------------------------------------------------------------
# Starting waits for READY=1, which comes after recovery: the books agree with the venue, hedges are taken up.
start() { control start "$NAME.service" && is_ready; }
is_ready() {
  [ "$SYSTEMCTL" = none ] || [ -n "$DRY_RUN" ] || timeout "$READY_WITHIN_S" "$SYSTEMCTL" is-active --quiet "$NAME.service"
}
back() {
  say "going back to $old: $1"
  control stop "$NAME.service" || say "it was stopped already"
  switch_to "$old"
  install_units "$DESTDIR$PREFIX/releases/$old"
  if start; then
    control restart funding-watchdog.service
    die "$new was not ready ($1); $old runs again and holds its hedges"
  fi
  die "$new was not ready ($1), and $old does not start either. Hedges stand, nobody tops up their margin:" \
    "journalctl -u $NAME; if $old refuses a newer journal: main.py restore, from $before; to get out:" \
    "scripts/close_all.py"
}
say "stopping $old; hedges are held"
control stop "$NAME.service"
switch_to "$new"
install_units "$SOURCE"
start || back "the start failed"
control restart funding-watchdog.service
say "$new runs"

# --- tidying up: this release, the one before, and no more than KEPT in all ------------------------------------
if [ -z "$DRY_RUN" ]; then
  releases=$DESTDIR$PREFIX/releases
  find "$releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn |
    awk -v new="$new" -v old="$old" -v kept="$KEPT" '$2 != new && $2 != old && ++n > kept - 2 {print $2}' |
    while read -r gone; do
      say "removing the old release $gone"
      rm -rf "${releases:?}/$gone"
    done
fi
