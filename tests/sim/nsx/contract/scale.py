"""The size that a recovery must cope with."""

import time

from client import CCPS, GROUPS, PIS, POLICIES, check, facts


@facts("DESIGN 9")
def test_five_hundred_clusters(start):
    begin = time.monotonic()
    with start("--generate", "500,2000,5000,10") as sim:
        loaded = time.monotonic()
        check("clusters", len(sim.admin.get(PIS).json["results"]), 500)
        check("control planes", len(sim.admin.all(CCPS)), 501)
        check("groups", len(sim.admin.all(GROUPS)), 2000)
        policies = sim.admin.all(POLICIES)
        check("policies", len(policies), 5001)
        listed = time.monotonic()
        rules = sum(len(sim.admin.get(f"{POLICIES}/{one['id']}").json["rules"]) for one in policies[:300])
        check("rules", rules >= 2990, True)
        done = time.monotonic()
        sim.advance(3600)
        print(f"   load {loaded - begin:.1f} s, lists {listed - loaded:.1f} s, 300 policies one by one {done - listed:.1f} s, "
              f"an hour of the clock {time.monotonic() - done:.1f} s")


@facts("DESIGN 9")
def test_the_same_seed_makes_the_same(start):
    seen = []
    for seed in ("5", "5", "6"):
        with start("--generate", "0,20,20,3", "--seed", seed, "--start", "1700000000000") as sim:
            seen.append(sim.steer("GET", "dump")["intent"])
    check("same seed", seen[0] == seen[1], True)
    check("another seed", seen[0] == seen[2], False)
