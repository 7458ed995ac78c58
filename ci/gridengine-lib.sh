# shellcheck shell=bash
# What ci/gridengine-up, ci/gridengine-down and ci/test share. Sourced, never run.
# shellcheck source=ci/slurm-lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/slurm-lib.sh" # how daemons are found and stopped by their pid files

# gridengine_packages: install Debian's packages, and nothing but the programs in them.
gridengine_packages() {
  local programs=/usr/lib/gridengine
  if [ ! -x $programs/sge_qmaster ] || [ ! -x $programs/sge_execd ] || [ ! -x $programs/qsub ]; then
    # They would set up a cell of their own below /var: ask them not to.
    echo 'gridengine-common shared/gridengineconfig boolean false' | as_root debconf-set-selections
    debian_packages gridengine-master gridengine-exec gridengine-client
  fi
}
