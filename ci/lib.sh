# shellcheck shell=bash
# What the scripts in ci/ share. Sourced, never run.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$project/.venv

# Minimal containers leave HOME unset; pip and yarn want it for their caches.
if [ -z "${HOME:-}" ]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
fi
export HOME

say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND...: through sudo where the user is not root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root and there is no sudo here; as root, run: $*"
  fi
}

# debian_packages PACKAGE...: install those that are missing, touch nothing else, start none of their daemons.
debian_packages() {
  local missing=() package policy=/usr/sbin/policy-rc.d status=0
  for package; do
    # A package that was removed but not purged is known to dpkg, yet not installed.
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install by hand (there is no apt-get here): ${missing[*]}"

  say "installing Debian's ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  local install=("${apt[@]}" -y --no-install-recommends install "${missing[@]}")
  # The tests start daemons of their own, with settings of their own, and end them.
  if [ ! -e "$policy" ]; then
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
  else
    policy=
  fi
  # The lists of a fresh machine are empty or old: refresh them only where that shows.
  as_root "${install[@]}" >/dev/null 2>&1 ||
    { as_root "${apt[@]}" update >&2 && as_root "${install[@]}" >/dev/null; } || status=$?
  [ -z "$policy" ] || as_root rm -f "$policy"
  [ $status -eq 0 ] || die "apt-get could not install ${missing[*]}"
}

# until_true SECONDS COMMAND...: try until it succeeds or the time is over.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

# quietly COMMAND...: what it prints matters only when it fails.
quietly() {
  local output
  output=$("$@" 2>&1) || {
    printf '$ %s\n%s\n' "$*" "$output" >&2
    return 1
  }
}

# What `source .venv/bin/activate` does, for this script and what it starts.
use_venv() {
  export VIRTUAL_ENV=$venv PATH=$venv/bin:$PATH
}
