"""HTCondor's words for reasons, and what they mean for people.

Holds are from the table of hold reason codes in the HTCondor 25 manual; the reasons for finding no machine are those
that the sources of its negotiator have.
"""

from __future__ import annotations

HOLDS = {
    1: "UserRequest",
    3: "JobPolicy",
    4: "CorruptedCredential",
    5: "JobPolicyUndefined",
    6: "FailedToCreateProcess",
    7: "UnableToOpenOutput",
    8: "UnableToOpenInput",
    12: "TransferOutputError",
    13: "TransferInputError",
    14: "IwdError",
    15: "SubmittedOnHold",
    16: "SpoolingInput",
    19: "HookPrepareJobFailure",
    21: "StartdHeldJob",
    22: "UnableToInitUserLog",
    23: "FailedToAccessUserAccount",
    24: "NoCompatibleShadow",
    26: "SystemPolicy",
    27: "SystemPolicyUndefined",
    34: "JobOutOfResources",
    45: "SingularityTestFailed",
    46: "JobDurationExceeded",
    47: "JobExecuteExceeded",
}
"""The names of the codes with which HTCondor puts a job on hold."""

WAITING_HOLDS = frozenset({1, 15, 16})
"""The codes of jobs that wait for their user. All others have failed: HTCondor holds them for somebody to look at."""

WALLTIME_REASONS = frozenset({"JobDurationExceeded", "JobExecuteExceeded"})
"""Reasons of jobs that reached their walltime."""

_SENTENCES = {
    # Waiting.
    "Idle": "Waiting for HTCondor to find a machine",
    "no match found": "No machine that is free has what was requested. Launch with less if it stays so",
    "insufficient priority": "Waiting for jobs of other users, who have used the pool less",
    "submitter limit exceeded": "Waiting because you use your whole share of the pool",
    "PREEMPTION_REQUIREMENTS == False": "Waiting for other jobs to end",
    "insufficient bandwidth": "Waiting for the network, which is busy",
    "network share exceeded": "Waiting for the network, which is busy",
    "UserRequest": "Held by you: release it with `condor_release`, or stop it",
    "SubmittedOnHold": "Held since its submission: release it with `condor_release`, or stop it",
    "SpoolingInput": "Waiting for its files to be copied",
    # Over, or not waiting.
    "Evicted": "It lost its machine: launch again",
    "Removed": "It was cancelled",
    "Suspended": "It is suspended: HTCondor will resume it later",
    "JobDurationExceeded": "It reached its walltime: launch with a longer one",
    "JobExecuteExceeded": "It reached its walltime: launch with a longer one",
    "JobOutOfResources": "It used more memory or disk than requested: launch with more",
    "FailedToCreateProcess": "It could not be started on its machine",
    "UnableToOpenOutput": "It could not be started on its machine, which cannot write its output",
    "IwdError": "Its working directory does not exist on the machine: ask the centre for a shared directory",
    "FailedToAccessUserAccount": "Your account is not known on the machine: ask the centre",
    "SystemPolicy": "A rule of the pool does not allow it: ask the centre",
    "StartdHeldJob": "A rule of its machine does not allow it: ask the centre",
    "JobPolicy": "A rule of the job or of the site ended it",
}


def sentence(reason: str) -> str:
    """Return a plain sentence for `reason`, with HTCondor's words in brackets, or an empty text without a reason."""
    if not reason:
        return ""
    word = reason.partition(":")[0].strip()
    known = _SENTENCES.get(word)
    if known is None and word.startswith("concurrency limit"):
        known = "Waiting because a limit of the pool is reached"
    if known is None and word.startswith(("ExitCode", "ExitSignal")):
        known = "It ended with an error: see its log"
    return f"{known or 'Waiting'} ({reason})"
