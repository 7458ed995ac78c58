#!/bin/sh
#PBS -N hpcdask-k3x9-workers-1
#PBS -t 1-3
#PBS -l nodes=1:ppn=4,mem=16384mb
#PBS -l walltime=01:00:00
#PBS -j oe
#PBS -o /dev/null
#PBS -r n
#PBS -S /bin/bash

# Torque itself would show the output only after the end.
hpcdask_index=${PBS_ARRAYID:-1}
exec >>/scratch/ada/hpcdask/k3x9/logs/workers-1."$hpcdask_index".log 2>&1

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

/opt/env/bin/python -m distributed.cli.dask_worker --name "workers-1-$HPCDASK_INDEX" &
hpcdask_watch $!
hpcdask_wait
