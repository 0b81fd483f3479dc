"""Custom resource definitions from the tables in crds/: permissive schemas of our own with the right
group, versions, scope and status subresource.

usage: definitions.py TABLE...    prints a List for 'kubectl apply -f -'
"""

import json
import sys


def rows(table):
    with open(table, encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                group, kind, plural, versions, scope, status = line.rstrip("\n").split("\t")
                yield group, kind, plural, versions.split(","), scope, status == "yes"


def definition(group, kind, plural, versions, scope, status):
    def version(name):
        one = {
            "name": name,
            "served": True,
            "storage": name == versions[-1],
            "schema": {
                "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            },
        }
        if status:
            one["subresources"] = {"status": {}}
        return one

    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": kind + "List",
                "plural": plural,
                "singular": kind.lower(),
            },
            "versions": [version(name) for name in versions],
        },
    }


def definitions(*tables):
    return [definition(*row) for table in tables for row in rows(table)]


if __name__ == "__main__":
    json.dump({"apiVersion": "v1", "kind": "List", "items": definitions(*sys.argv[1:])}, sys.stdout)
