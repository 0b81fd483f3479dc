#!/usr/bin/env python3
"""Whether a provider does what the vendor's document says, as its trace claims.

A trace is a table, separated by tabs, of one line a statement: its id, a kind, our own words, the
rows and findings that answer for it, and the tests that show it. The kinds:

  does     rows or findings answer for it, and a test shows that
  fact     says what is so: there is nothing to do, or nobody but a person can
  open     not there yet

Refused are: a statement missing, twice or out of order; rows and findings that are not exactly those
whose descriptor names the statement; a test that did not run, failed, or did not print
"covers: ID". The document holds the table that --write makes from the trace.

usage: check-trace.py --trace FILE --ids PREFIX-001..089 --salvor PROGRAM --plugins FOLDER
                      --provider NAME [--run TEST=PROGRAM]... [--covered TEST=FILE]...
                      [--document FILE [--write]]
"""

import argparse
import json
import re
import subprocess
import sys

BEGIN = "<!-- made from trace.tsv by tests/functional/trace/check-trace.py --write -->\n"
END = "<!-- end of what is made -->\n"
KINDS = ("does", "fact", "open")


def read_trace(path):
    """Lines of the table, and what is wrong with its form."""
    lines, wrong = [], []
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            fields = text.rstrip("\n").split("\t")
            if text.startswith("#"):
                continue
            if len(fields) != 5 or fields[1] not in KINDS or not fields[2]:
                wrong.append(f"line {number}: no id, kind, words, where and tests")
                continue
            lines.append({"id": fields[0], "kind": fields[1], "words": fields[2],
                          "where": fields[3].split(), "tests": fields[4].split()})
    return lines, wrong


def wanted_ids(text):
    prefix, first, last = re.fullmatch(r"(.*-)(\d+)\.\.(\d+)", text).groups()
    return [f"{prefix}{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]


def answers_of(arguments):
    """{statement: {rows and findings that name it}} of the descriptor."""
    shown = json.loads(subprocess.run(
        [arguments.salvor, "plugin", "show", arguments.provider, "--plugin-dir", arguments.plugins,
         "-o", "json"], check=True, capture_output=True, text=True).stdout)
    rows = [row for procedure in shown["procedures"] for stage in procedure["stages"]
            for row in stage["rows"]]
    answers = {}
    for one in rows + shown["findings"]:
        for statement in one["statements"] or []:
            answers.setdefault(statement, set()).add(one["id"])
    return answers


def covered_by(text):
    return set(re.findall(r"^covers: (\S+)$", text, re.MULTILINE))


def coverage(arguments):
    """{test: statements}, of the tests that ran and passed; and those that did not."""
    covered, wrong = {}, []
    for entry in arguments.run:
        name, program = entry.split("=", 1)
        result = subprocess.run([program], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            wrong.append(f"test '{name}' failed")
        else:
            covered[name] = covered_by(result.stdout)
    for entry in arguments.covered:
        name, path = entry.split("=", 1)
        try:
            with open(path, encoding="utf-8") as file:
                covered[name] = covered_by(file.read())
        except OSError:
            wrong.append(f"test '{name}' left nothing of what it covers: did it run?")
    return covered, wrong


def judge_line(line, answers, covered):
    name, wrong = line["id"], []
    if set(line["where"]) != answers.get(name, set()):
        wrong.append(f"{name}: named are {line['where']}, and the descriptor has "
                     f"{sorted(answers.get(name, set()))}")
    if line["kind"] == "does" and not (line["where"] and line["tests"]):
        wrong.append(f"{name}: nothing answers for it, or no test shows it")
    for test in line["tests"]:
        if test not in covered:
            wrong.append(f"{name}: test '{test}' did not run")
        elif name not in covered[test]:
            wrong.append(f"{name}: test '{test}' did not print that it covers it")
    return wrong


def table_of(lines):
    text = BEGIN + "| id | in our words | | rows and findings | shown by |\n|---|---|---|---|---|\n"
    for line in lines:
        where = ", ".join(f"`{one}`" for one in line["where"])
        text += (f"| {line['id']} | {line['words']} | {line['kind']} | {where} | "
                 f"{', '.join(line['tests'])} |\n")
    return text + END


def judge_document(path, lines, write):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return [f"'{path}' has no place for the table"]
    made = before + table_of(lines) + after
    if made == text:
        return []
    if not write:
        return [f"'{path}' does not hold the table of the trace: check-trace.py --write makes it"]
    with open(path, "w", encoding="utf-8") as file:
        file.write(made)
    return []


def main():
    parser = argparse.ArgumentParser()
    for name in ("trace", "ids", "salvor", "plugins", "provider"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--run", action="append", default=[])
    parser.add_argument("--covered", action="append", default=[])
    parser.add_argument("--document")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    lines, wrong = read_trace(arguments.trace)
    ids = wanted_ids(arguments.ids)
    if [line["id"] for line in lines] != ids:
        have = [line["id"] for line in lines]
        wrong.append(f"the trace is not {arguments.ids} in order: missing "
                     f"{sorted(set(ids) - set(have))}, unknown {sorted(set(have) - set(ids))}")
    answers = answers_of(arguments)
    for name in sorted(set(answers) - set(ids)):
        wrong.append(f"{name}: the descriptor names it, and there is no such statement")
    covered, failed = coverage(arguments)
    wrong += failed
    for line in lines:
        wrong += judge_line(line, answers, covered)
    if arguments.document:
        wrong += judge_document(arguments.document, lines, arguments.write)
    print("\n".join(wrong))
    print(", ".join(f"{sum(line['kind'] == kind for line in lines)} {kind}" for kind in KINDS))
    return 1 if wrong else 0


sys.exit(main())
