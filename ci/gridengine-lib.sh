# shellcheck shell=bash
# What ci/gridengine-up, ci/gridengine-down and ci/test share. Sourced, never run.
# shellcheck source=ci/slurm-lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/slurm-lib.sh" # how daemons are found and stopped by their pid files

# gridengine_packages: install Debian's packages, and nothing but the programs in them.
gridengine_packages() {
  local policy=/usr/sbin/policy-rc.d programs=/usr/lib/gridengine status=0
  if [ ! -x $programs/sge_qmaster ] || [ ! -x $programs/sge_execd ] || [ ! -x $programs/qsub ]; then
    # They would set up a cell of their own below /var and start its daemons: ask them not to.
    echo 'gridengine-common shared/gridengineconfig boolean false' | as_root debconf-set-selections
    if [ ! -e "$policy" ]; then
      as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    else
      policy=
    fi
    # In a subshell, because it ends the shell when it fails, and the policy has to go all the same.
    (debian_packages gridengine-master gridengine-exec gridengine-client) || status=$?
    [ -z "$policy" ] || as_root rm -f "$policy"
  fi
  return "$status"
}
