#!/bin/bash
#BSUB -J "hpcdask-k3x9-allocation[1-1]"
#BSUB -q regular
#BSUB -W 01:00
#BSUB -n 36
#BSUB -R "span[ptile=4] rusage[mem=16384MB]"
#BSUB -M 16384MB
#BSUB -env PATH
#BSUB -o /dev/null
#BSUB -rn

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
    trap '' TERM INT USR2
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
    trap hpcdask_stop TERM INT USR2
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
# What is started now ignores the batch system's warning, of which it would die.
trap '' USR2
}

trap hpcdask_stop TERM INT USR2
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

hpcdask_index=$LSB_JOBINDEX
hpcdask_job="${LSB_JOBID}[$LSB_JOBINDEX]"
hpcdask_host=${LSB_MCPU_HOSTS%% *}
hpcdask_host=${hpcdask_host:-$(uname -n)}
# LSF itself writes a job's output only when that has ended, unless the centre has set LSB_STDOUT_DIRECT.
exec >>/scratch/ada/hpcdask/k3x9/logs/workers-1."$hpcdask_index".log 2>&1
HPCDASK_INDEX=$hpcdask_index
export HPCDASK_INDEX
hpcdask_report=/scratch/ada/hpcdask/k3x9/workers-1.$HPCDASK_INDEX

# A reader sees a whole report or none. It is for the user alone, unlike what the workers write.
hpcdask_write() {
    (umask 077 && cat >"$hpcdask_report.$1.tmp" && mv -f "$hpcdask_report.$1.tmp" "$hpcdask_report.$1")
}

hpcdask_ended() {
    hpcdask_code=$?
    trap '' HUP TERM INT USR2
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

hpcdask_start_first() { exec "$@"; }
# LSB_MCPU_HOSTS has the hosts, this one first, each with its slots behind it. A task has 4 slots.
hpcdask_start_others() {
    hpcdask_number=-1
    hpcdask_name=
    for hpcdask_word in $LSB_MCPU_HOSTS; do
        if [ -z "$hpcdask_name" ]; then
            hpcdask_name=$hpcdask_word
            continue
        fi
        while [ "$hpcdask_word" -ge 4 ] && [ "$hpcdask_number" -lt 8 ]; do
            hpcdask_number=$((hpcdask_number + 1))
            hpcdask_word=$((hpcdask_word - 4))
            [ "$hpcdask_number" = 0 ] || blaunch -n -z "$hpcdask_name" -no-shell "$@" "$hpcdask_number" &
        done
        hpcdask_name=
    done
    if [ "$hpcdask_number" -lt 8 ]; then
        echo "LSF gave slots for $hpcdask_number workers only, of 8: $LSB_MCPU_HOSTS" >&2
    fi
    wait
}
hpcdask_shell=bash
hpcdask_start_first "$hpcdask_shell" /scratch/ada/hpcdask/k3x9/jobs/allocation.sh task 0 &
hpcdask_first=$!
hpcdask_start_others "$hpcdask_shell" /scratch/ada/hpcdask/k3x9/jobs/allocation.sh task &
hpcdask_watch "$hpcdask_first"
hpcdask_wait
