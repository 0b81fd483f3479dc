#!/usr/bin/env python3
"""A plugin that misbehaves in a step costs the step, never the run: the whole program names the plugin and how
to go on, a resume finishes the run, its journal verifies.

usage: test-resumable.py --salvor PROGRAM --mocks FOLDER [MOCK...]
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile

# Those of test-misbehaviour that let a call fail, each in the step of a run.
MOCKS = [
    "abort", "exit-zero", "silent-exit", "hang", "hang-hard", "leaked-descriptor", "thread-left", "child-left",
    "exception", "oversized-frame", "foreign-frame", "garbage", "double-free", "stack-overflow", "wild-call",
    "closed-connection", "closed-hang", "wild-status", "pending-status", "silent-failure", "greedy",
]
NUMBERS = {"greedy": 109}  # it kills itself
LIMIT_S = 90


def salvor(arguments, folder, *words):
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8",
                   "SALVOR_PLUGIN_PATH": os.path.realpath(arguments.mocks),
                   "SALVOR_WORKER": os.environ.get("SALVOR_WORKER", "")}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return subprocess.run(
        [os.path.realpath(arguments.salvor), *words, "--state-dir", f"{folder}/state"], env=environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def judge(arguments, mock):
    """None, or what is wrong."""
    with tempfile.TemporaryDirectory(prefix="salvor-mock-") as folder:
        words = ["--provider", mock, "restore", "--yes", "--set", "when=run_step", "--set",
                 f"mock-once={folder}/misbehaved", "--set", f"mock-number={NUMBERS.get(mock, 0)}"]
        expected = [f"plugin '{mock}'", "step 'mend/first/1' (look at it)", "salvor resume"]
        if mock.startswith("hang"):
            words += ["--timeout", "1s"]
            expected = ["time limit (--timeout)", "salvor resume"]
        first = salvor(arguments, folder, *words)
        if first.returncode != 1:
            return f"the run ended with {first.returncode}:\n{first.stdout}{first.stderr}"
        if not os.path.exists(f"{folder}/misbehaved"):
            return f"it never misbehaved:\n{first.stderr}"
        for piece in expected:
            if piece not in first.stderr:
                return f"'{piece}' is not said:\n{first.stderr}"
        second = salvor(arguments, folder, "resume", "last", "--yes")
        if second.returncode != 0:
            return f"the resume ended with {second.returncode}:\n{second.stdout}{second.stderr}"
        report = salvor(arguments, folder, "report", "last", "--verify")
        return None if report.returncode == 0 else f"the journal does not verify:\n{report.stderr}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--salvor", required=True)
    parser.add_argument("--mocks", required=True)
    parser.add_argument("only", nargs="*")
    arguments = parser.parse_args()
    mocks = arguments.only or [mock for mock in MOCKS if os.path.exists(
        f"{arguments.mocks}/salvor_{mock.replace('-', '_')}.so")]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        verdicts = list(zip(mocks, pool.map(lambda mock: judge(arguments, mock), mocks)))
    for mock, verdict in verdicts:
        print(f"ok      {mock}" if verdict is None else f"FAILED  {mock}: {verdict}")
    failed = [mock for mock, verdict in verdicts if verdict is not None]
    return 1 if failed or len(verdicts) < min(len(MOCKS) - 1, len(mocks)) else 0


sys.exit(main())
