"""What the stories of this folder are told with: a simulated site each, and words for what to expect.

usage of each: test-NAME.py --salvor PROGRAM --plugins FOLDER --simulator PROGRAM [TEST...]
"""

import argparse
import os
import re
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../sim/etcd"))
from simulated_site import Programs, Site  # pylint: disable=wrong-import-position


def expect(condition, text, *results):
    if not condition:
        raise AssertionError(text + "".join(
            f"\n-- exit status {r.returncode}\n{r.stdout}{r.stderr}" for r in results))


def expect_end(result, status, *pieces):
    expect(result.returncode == status, f"expected exit status {status}", result)
    for piece in pieces:
        expect(piece in result.stderr, f"expected '{piece}' on standard error", result)


def hash_in(result):
    found = re.search(r"--approve ([0-9a-f]{64})", result.stderr)
    expect(found, "a run that waits names the hash to approve", result)
    return found.group(1)


def tell(names):
    """Runs each function test_NAME(site) on a site of its own; the exit status of the program."""
    parser = argparse.ArgumentParser()
    Programs.add_to(parser)
    parser.add_argument("tests", nargs="*")
    arguments = parser.parse_args()
    tests = {name: test for name, test in names.items() if name.startswith("test_")}
    failed = [name for name in arguments.tests if name not in tests]
    for name in failed:
        print(f"FAILED  {name}: there is no such test", flush=True)
    for name, test in tests.items():
        if arguments.tests and name not in arguments.tests:
            continue
        with tempfile.TemporaryDirectory(prefix="salvor-example-") as folder:
            site = Site(Programs(arguments), f"{folder}/site")
            try:
                test(site)
                left = site.left_behind()
                expect(not left, f"left behind: {left}")
                print(f"ok      {name}", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed.append(name)
                print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0
