#!/bin/sh
#PBS -N hpcdask-k3x9-allocation
#PBS -q regular
#PBS -l nodes=9:ppn=4,mem=147456mb
#PBS -l walltime=01:00:00
#PBS -j oe
#PBS -o /dev/null
#PBS -r n
#PBS -S /bin/bash

# Torque itself would show the output only after the end.
hpcdask_index=${PBS_ARRAYID:-1}
exec >>/scratch/ada/hpcdask/k3x9/logs/workers-1."$hpcdask_index".log 2>&1

# A task on another node begins where no shell has been yet: this defines `module`, where a centre has it. What users do
# in login shells of theirs is not for it: they wait for locks, or start other shells.
if [ "${1:-}" = task ] && [ "${2:-}" != 0 ] && [ -r /etc/profile ]; then . /etc/profile; fi
hpcdask_child=
hpcdask_code=
hpcdask_signal=

# Batch systems signal every process of a job, and Dask takes a second signal for "at once". So the signal is passed on
# only to a command that is still there after 3 s: then this shell alone was meant, or the command is stuck.
hpcdask_stop() {
    hpcdask_signal=yes
    trap '' TERM INT
    [ -n "$hpcdask_child" ] || exit 143
    for hpcdask_tick in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        kill -0 "$hpcdask_child" 2>/dev/null || return 0
        sleep 0.2
    done
    kill -s TERM "$hpcdask_child" 2>/dev/null || true
}

# Ends the command, which has been started, on a signal.
hpcdask_watch() {
    hpcdask_child=$1
    trap hpcdask_stop TERM INT
}

# A signal interrupts wait, while the command closes down: wait until it has really ended. Where it had ended at that
# moment, waiting again gives 127, or -1 in bash.
hpcdask_wait() {
    while :; do
        hpcdask_signal=
        hpcdask_now=0
        wait "$hpcdask_child" 2>/dev/null || hpcdask_now=$?
        case $hpcdask_now in
            127 | -1) hpcdask_code=${hpcdask_code:-127} ;;
            *) hpcdask_code=$hpcdask_now ;;
        esac
        [ -n "$hpcdask_signal" ] || break
    done
    exit "$hpcdask_code"
}

hpcdask_prepare() {
cd /scratch/ada/hpcdask/k3x9 || exit 1
}

trap hpcdask_stop TERM INT
hpcdask_task=
if [ "${1:-}" = task ]; then hpcdask_task=$2; fi
if [ -n "$hpcdask_task" ]; then
    HPCDASK_TASK=$hpcdask_task
    export HPCDASK_TASK
    exec >/scratch/ada/hpcdask/k3x9/logs/workers-1.task-"$HPCDASK_TASK".log 2>&1
    hpcdask_prepare
    if [ "$HPCDASK_TASK" = 0 ]; then
        /opt/env/bin/python -m distributed.cli.dask_scheduler &
    else
        /opt/env/bin/python -m distributed.cli.dask_worker --name "workers-$HPCDASK_TASK" &
    fi
    hpcdask_watch $!
    hpcdask_wait
fi

hpcdask_job=$PBS_JOBID
hpcdask_host=$(uname -n)
HPCDASK_INDEX=$hpcdask_index
export HPCDASK_INDEX
hpcdask_report=/scratch/ada/hpcdask/k3x9/workers-1.$HPCDASK_INDEX

# A reader sees a whole report or none. It is for the user alone, unlike what the workers write.
hpcdask_write() {
    (umask 077 && cat >"$hpcdask_report.$1.tmp" && mv -f "$hpcdask_report.$1.tmp" "$hpcdask_report.$1")
}

hpcdask_ended() {
    hpcdask_code=$?
    trap '' HUP TERM INT
    printf 'exit=%s\ntime=%s\n' "$hpcdask_code" "$(date +%s)" | hpcdask_write ended
    # The tasks that are left are of no use now: the starters, which are in this process group, end them.
    kill -s TERM 0 2>/dev/null || true
    (eval "${hpcdask_theirs:-}" && exit "$hpcdask_code") || true
    exit "$hpcdask_code"
}

trap hpcdask_ended EXIT
hpcdask_began=$(date +%s)
printf 'host=%s\njob=%s\ntime=%s\n' "$hpcdask_host" "$hpcdask_job" "$hpcdask_began" | hpcdask_write started
hpcdask_prepare

# A prologue may have set a trap for the end, to tidy up: it is called behind ours (in bash, which tells it). And it may
# have changed how words are split.
hpcdask_theirs=$(trap -p EXIT 2>/dev/null) || hpcdask_theirs=
case $hpcdask_theirs in *hpcdask_ended*) hpcdask_theirs= ;; esac
trap hpcdask_ended EXIT
unset IFS

# Each node is listed once for each of its cores, which pbsdsh numbers from 0.
hpcdask_places() {
    awk '++cores[$1] % 4 == 0 { print cores[$1] / 4, NR, $1 }' "$PBS_NODEFILE" |
        sort -n -k 1,1 -k 2,2 | awk 'NR > 1 && NR <= 9 { print $2 - 1 }'
}

hpcdask_start_first() { "$@"; }
hpcdask_start_others() {
    hpcdask_number=0
    for hpcdask_place in $(hpcdask_places); do
        hpcdask_number=$((hpcdask_number + 1))
        pbsdsh -n "$hpcdask_place" "$@" "$hpcdask_number" &
    done
    if [ "$hpcdask_number" -lt 8 ]; then
        echo "The job has $hpcdask_number places instead of 8: some workers are missing." >&2
    fi
    wait
}
hpcdask_shell=bash
hpcdask_start_first "$hpcdask_shell" /scratch/ada/hpcdask/k3x9/jobs/allocation.sh task 0 &
hpcdask_first=$!
hpcdask_start_others "$hpcdask_shell" /scratch/ada/hpcdask/k3x9/jobs/allocation.sh task &
/opt/env/bin/python analysis.py --year 2026 &
hpcdask_watch $!
while kill -0 "$hpcdask_child" 2>/dev/null && kill -0 "$hpcdask_first" 2>/dev/null; do sleep 1; done
if kill -0 "$hpcdask_child" 2>/dev/null; then
    echo "The Dask scheduler ended before the program did, which is ended now: see the lines above." >&2
    kill -s TERM "$hpcdask_child" 2>/dev/null || true
fi
hpcdask_wait
