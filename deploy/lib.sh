# shellcheck shell=bash
# What install.sh and upgrade.sh share. Sourced, never run.
#
# DESTDIR   put everything under this folder instead of /: for trying it, and for packages. No user is made, no
#           package installed, and nothing is changed outside of it.
# SYSTEMCTL the service manager's command; `none` where there is none.

NAME=funding-engine
PREFIX=${PREFIX:-/opt/$NAME}
CONFIG=${CONFIG:-/etc/$NAME}
STATE=${STATE:-/var/lib/$NAME}
UNITS=${UNITS:-/etc/systemd/system}
DESTDIR=${DESTDIR:-}
SYSTEMCTL=${SYSTEMCTL:-systemctl}
DRY_RUN=${DRY_RUN:-}
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What a running engine needs of the project; tests, benchmarks and the rest stay where they are.
PARTS=(Makefile pyproject.toml requirements main.py config core risk strategy execution exchange monitor scripts
  docs deploy README.md README.zh-CN.md LICENSE .env.example)

say() { printf '%s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Do something, or with --dry-run only say what would be done.
run() {
  if [ -n "$DRY_RUN" ]; then
    printf 'would run: %s\n' "$*"
  else
    "$@"
  fi
}

control() {
  [ "$SYSTEMCTL" = none ] || run "$SYSTEMCTL" "$@"
}

# A Python that is new enough and can make environments. Dies naming what was found and what is allowed.
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
    if [ -z "$candidate" ] || ! command -v "$candidate" > /dev/null; then continue; fi
    if "$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "no Python 3.11 or newer with its venv module was found; on Debian and Ubuntu: apt install python3-venv," \
    "or name one with PYTHON=/path/to/python3.11"
}

# The name of this source tree's release: its version and a digest of its content, so that the same tree is the
# same release however often it is installed.
release_name() {
  local version digest
  version=$(sed -n 's/^VERSION: Final = "\(.*\)"$/\1/p' "$SOURCE/scripts/version.py")
  digest=$(cd "$SOURCE" && find "${PARTS[@]}" -type f ! -path '*/__pycache__/*' ! -path '*/node_modules/*' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
  say "${version:-0}-$digest"
}

# Copy the tree to releases/NAME and build its environment there; a release that is whole is left as it is.
make_release() {
  local name=$1 python=$2 folder=$DESTDIR$PREFIX/releases/$1
  if [ -e "$folder/.whole" ]; then
    say "release $name is there already"
    return
  fi
  say "release $name: copying, then an environment from pinned packages"
  run rm -rf "$folder"
  run mkdir -p "$folder"
  if [ -n "$DRY_RUN" ]; then
    say "would copy: ${PARTS[*]}"
  else
    (cd "$SOURCE" && tar --exclude __pycache__ --exclude node_modules -cf - "${PARTS[@]}") | tar -xf - -C "$folder"
  fi
  run make --no-print-directory -C "$folder" setup PYTHON="$python"
  run "$folder/.venv/bin/python" -m compileall -q "$folder/core" "$folder/exchange" "$folder/monitor" \
    "$folder/scripts" "$folder/config" "$folder/risk" "$folder/strategy" "$folder/execution"
  run touch "$folder/.whole"
}

# Read the configuration with a release's own models: every problem is named with file, line and what is allowed.
check_config() {
  local folder=$1
  say "checking the configuration in $DESTDIR$CONFIG/config"
  run env -C "$folder" .venv/bin/python -c \
    'import sys; from pathlib import Path; from config.loader import load; load(Path(sys.argv[1]))' \
    "$DESTDIR$CONFIG/config" || die "the configuration is refused: see above; nothing was started or switched"
}

# Let `current` mean a release, in one step.
switch_to() {
  local name=$1
  run ln -sfn "releases/$name" "$DESTDIR$PREFIX/current.new"
  run mv -T "$DESTDIR$PREFIX/current.new" "$DESTDIR$PREFIX/current"
}

# Put a release's own units where systemd reads them.
install_units() {
  local unit from=$1
  run mkdir -p "$DESTDIR$UNITS"
  for unit in "$from"/deploy/*.service "$from"/deploy/*.timer; do
    if [ "$PREFIX $CONFIG $STATE" = "/opt/$NAME /etc/$NAME /var/lib/$NAME" ]; then
      run install -m 644 "$unit" "$DESTDIR$UNITS/"
    elif [ -n "$DRY_RUN" ]; then
      say "would write: $DESTDIR$UNITS/$(basename "$unit") with $PREFIX, $CONFIG and $STATE"
    else
      sed -e "s|/opt/$NAME|$PREFIX|g" -e "s|/etc/$NAME|$CONFIG|g" -e "s|/var/lib/$NAME|$STATE|g" "$unit" \
        > "$DESTDIR$UNITS/$(basename "$unit")"
    fi
  done
  control daemon-reload
}
