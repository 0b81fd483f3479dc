"""Lists in pages."""

from client import CERTIFICATES, GROUPS, PIS, POLICIES, Failed, check, facts


def fill(sim):
    sim.steer("POST", "generate", {"clusters": 3, "groups": 25, "policies": 12, "rules": 2})


@facts("7.2", "1.3")
def test_pages(start):
    with start() as sim:
        fill(sim)
        whole = sim.admin.get(GROUPS).expect(200).json
        check("all at once", (len(whole["results"]), whole["result_count"], "cursor" in whole), (25, 25, False))
        first = sim.admin.get(GROUPS, page_size=10).json
        check("first", (len(first["results"]), first["result_count"]), (10, 25))
        second = sim.admin.get(GROUPS, page_size=10, cursor=first["cursor"]).json
        check("result_count is on the first page only", "result_count" in second, False)
        third = sim.admin.get(GROUPS, page_size=10, cursor=second["cursor"]).json
        check("last", (len(third["results"]), "cursor" in third), (5, False))
        names = [group["id"] for page in (first, second, third) for group in page["results"]]
        check("nothing twice", names, [group["id"] for group in whole["results"]])
        sim.switch(result_count="all-pages")
        check("with the switch", sim.admin.get(GROUPS, page_size=10, cursor=first["cursor"]).json["result_count"], 25)


@facts("7.2", "1.3", "1.2")
def test_bounds(start):
    with start() as sim:
        fill(sim)
        sim.admin.get(GROUPS, page_size=1001).expect(400, 255)
        sim.admin.get(GROUPS, page_size=0).expect(400, 255)
        sim.admin.get(GROUPS, cursor="x").expect(400, 255)
        sim.steer("POST", "settings", {"pageLimit": 4})
        page = sim.admin.get(POLICIES).json
        check("a smaller page than asked for", (len(page["results"]), page["result_count"]), (4, 13))
        check("all of them", len(sim.admin.all(POLICIES)), 13)
        check("certificates too", len(sim.admin.all(CERTIFICATES)), 3)
        # The one list without pages.
        identities = sim.admin.get(PIS, page_size=1).json
        check("identities", (len(identities["results"]), identities["result_count"], "cursor" in identities), (3, 3, False))


@facts("7.2", "1.3")
def test_order_and_fields(start):
    with start() as sim:
        fill(sim)
        names = [group["id"] for group in sim.admin.get(GROUPS, sort_by="display_name", sort_ascending="false").json["results"]]
        check("descending", names, sorted(names, reverse=True))
        one = sim.admin.get(GROUPS, included_fields="display_name,path", page_size=1).json["results"][0]
        check("fields", sorted(one), ["display_name", "id", "path"])
        if sim.admin.get(GROUPS).json["sort_by"] is None:
            raise Failed("sort_by is missing")
