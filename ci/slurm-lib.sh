# shellcheck shell=bash
# What ci/slurm-up and ci/slurm-down share. Sourced, never run.

# Debian keeps the daemons where a normal user's PATH does not look.
export PATH=$PATH:/usr/sbin:/sbin

# alive NAME PIDFILE: the file names a process of that name that has not ended.
# Asking `kill -0` alone would not do: numbers are used again, and in a container
# an ended daemon may stay as a zombie because nobody collects it.
alive() {
  local pid
  pid=$(cat "$2" 2>/dev/null) && [ -n "$pid" ] || return 1
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || return 1
  ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null
}

ended() { ! alive "$@"; }

# stop NAME PIDFILE...: ask all of them to end; who has not after 10 s is killed.
stop() {
  local name=$1 file
  shift
  for file; do ! alive "$name" "$file" || kill "$(cat "$file")" 2>/dev/null || true; done
  for file; do until_true 10 ended "$name" "$file" || kill -9 "$(cat "$file")" 2>/dev/null || true; done
}
