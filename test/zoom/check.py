#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Zoom side of insightd against the stub, over TLS. usage: check.py BUILD [words of test names]"""
import json
import os
import random
import sys
import time

from harness import BUILD, Driver, Stub, prepare, run, wait_for

FULL = "RCCCPP3m8cJrMPkOx90B5A=="


def samples_are_read():
    with Stub() as stub, Driver(stub.base) as d:
        d.link_server()
        d.wait()
        meetings = d.meetings()
        assert meetings[FULL] == (8, 22, 3, "done"), meetings
        assert len(meetings) == 5, meetings
        assert stub.state()["problems"] == [], stub.state()["problems"]


def summaries_are_asked_for_where_there_are_any():
    def asked(stub):
        return sum(n for path, n in stub.state()["paths"].items() if path.endswith("/qos_summary"))

    with Stub("--meetings", 3, "--people", 12, "--minutes", 5) as stub, Driver(stub.base) as d:
        d.link_server()
        d.wait()
        assert asked(stub) == 1 and d.account()["last_status"] == "success", (asked(stub), d.account())
        d.kill()
        d.start()
        d.ask("sync", "acme")
        d.wait()
        assert asked(stub) == 1, asked(stub)
    with Stub("--meetings", 3, "--people", 12, "--minutes", 5) as stub, Driver(stub.base) as d:
        stub.set(qss=True)
        d.link_server()
        d.wait()
        # Two pages of one at least; some did not wait until it was known.
        assert 2 <= asked(stub) <= 6 and stub.state()["problems"] == [], stub.state()
        assert all(m == (12, 60, 1, "done") for m in d.meetings().values()), d.meetings()


def live_meetings():
    with Stub() as stub, Driver(stub.base, ZOOM_LIVE=1) as d:
        d.link_server()
        d.wait()
        wait_for("live meetings", lambda: any(m[3] == "live" for m in d.meetings().values()))
        live = [m for m in d.meetings().values() if m[3] == "live"]
        assert live[0][1] > 0, live
        assert stub.state()["problems"] == []


def A1_link_in_the_browser():
    with Stub() as stub, Driver(stub.base) as d:
        answer = d.link(stub)
        assert answer == "linked 7000012345: Linked", answer
        d.wait()
        account = d.account()
        assert account["linked_by"] == "dana.okafor@example.com"
        assert account["account_id"] == "7000012345" and account["company"] == "Example Corp"


def A1_what_goes_wrong_is_said_and_nothing_stored():
    with Stub() as stub, Driver(stub.base) as d:
        url = d.ask("link-url", "acme", "s1", "dana@example.com")
        back = stub.consent(url)
        assert "begin again" in d.ask("back", "wrongstate", "s1", back["code"])
        answer = d.ask("back", back["state"], "other-session", back["code"])
        assert answer.startswith("refused") and "begin again" in answer, answer
        # Used up by that.
        assert d.ask("back", back["state"], "s1", back["code"]).startswith("refused")
        back = stub.consent(d.ask("link-url", "acme", "s1", "dana@example.com"))
        assert "denied" in d.ask("back", back["state"], "s1", "", "access_denied")
        back = stub.consent(d.ask("link-url", "acme", "s1", "dana@example.com"))
        answer = d.ask("back", back["state"], "s1", "oldcode")
        assert "5 minutes" in answer, answer
        stub.faults({"match": "/users/me", "sample": "error_4711_missing_scope.json"})
        answer = d.link(stub)
        assert answer.startswith("refused") and "user:read:admin" in answer, answer
        wait_for("tokens to be given back", lambda: stub.state()["counts"].get("revoked") == 1)
        assert d.credentials() == [] and d.status() == {"linked": False, "accounts": []}


def A6_not_an_administrator():
    with Stub() as stub, Driver(stub.base) as d:
        stub.faults({"match": "/oauth/token", "status": 400,
                     "body": {"reason": "You cannot authorize the app", "error": "invalid_request"}})
        answer = d.link(stub)
        assert "must be an administrator" in answer, answer
        assert d.credentials() == []


def A2_one_account_in_two_organisations():
    with Stub() as stub, Driver(stub.base) as d:
        assert d.link(stub, "acme").startswith("linked")
        d.wait()
        assert d.link(stub, "beta").startswith("linked")
        assert len(d.credentials()) == 1
        assert d.ask("unlink", "acme", "7000012345") == "0"
        assert d.status("acme")["accounts"] == [] and len(d.status("beta")["accounts"]) == 1
        assert stub.state()["counts"].get("revoked") is None
        before = stub.state()["paths"]["/v2/metrics/meetings"]
        assert d.ask("sync", "beta") == "1"
        wait_for("a listing", lambda: stub.state()["paths"]["/v2/metrics/meetings"] > before)
        assert d.account("beta")["last_status"] == "success"


def A2_two_accounts_in_one_organisation():
    with Stub() as stub, Driver(stub.base) as d:
        d.link_server("acme", "first")
        d.link_server("acme", "second")
        assert [a["account_id"] for a in d.status()["accounts"]] == ["first", "second"]
        assert len(d.credentials()) == 2
        # Of two credentials of one Zoom account, one polls.
        assert d.link(stub).startswith("linked")
        d.link_server("acme", "qExAmPLeTzexKYTb_I2rpg")
        wait_for("an election", lambda: [a["polls"] for a in d.status()["accounts"]] == [True, True, True, False])


def A3_status():
    with Stub() as stub, Driver(stub.base) as d:
        assert d.link(stub).startswith("linked")
        d.wait()
        account = d.account()
        for field in ("application", "account_id", "company", "linked_by", "linked_timestamp", "last_sync",
                      "last_status", "error", "errors", "max_daily_api_requests", "discard_guest_info"):
            assert field in account, field
        assert account["last_status"] == "success" and account["error"] == ""
        assert abs(account["last_sync"] / 1000 - time.time()) < 60
        # Failed, and why: the refresh token is no good any more.
        stub.set(refresh=[])
        stub.request("/_ctl/expire", {})
        d.ask("sync", "acme")
        wait_for("failure", lambda: d.account()["last_status"] == "failed")
        assert d.account()["error"] == "Token refresh failed, link the account again"
        # The account stays, its tokens do not; linking again mends it.
        before = stub.state()["paths"]["/oauth/token"]
        time.sleep(1)
        assert stub.state()["paths"]["/oauth/token"] == before
        stub.set(refresh=[])
        d.kill()
        d.start()
        assert d.account()["last_status"] == "failed"


def A4_unlink():
    with Stub() as stub, Driver(stub.base) as d:
        assert d.link(stub).startswith("linked")
        d.wait()
        assert d.ask("unlink", "acme", "nobody") == "-2"
        assert d.ask("unlink", "acme", "7000012345", "data") == "0"
        assert d.status()["accounts"] == [] and d.credentials() == [] and d.meetings() == {}
        wait_for("revocation", lambda: stub.state()["counts"].get("revoked") == 1)
        before = stub.state()["counts"]
        time.sleep(1)
        assert stub.state()["counts"] == before
        d.stop()
        d.start()
        assert d.status()["accounts"] == []


def A4_deauthorized_by_webhook():
    with Stub() as stub, Driver(stub.base) as d:
        assert d.link(stub).startswith("linked")
        event = {"event": "app_deauthorized", "event_ts": 1, "payload": {
            "account_id": "qExAmPLeTzexKYTb_I2rpg", "user_id": "uX01QeR7kTqWm3yBz0LpNg",
            "client_id": "EXAMPLECLIENTID", "user_data_retention": "false"}}
        assert d.hook(event, secret="wrong").startswith("401")
        assert d.hook(event, when=time.time() - 400).startswith("401")
        assert len(d.credentials()) == 1
        assert d.hook(event).startswith("200")
        assert d.credentials() == [] and d.status()["accounts"] == []
        assert d.hook(event).startswith("204")


def A7_off_until_opted_in():
    with Stub() as stub, Driver(stub.base) as d:
        answer = d.ask("link-server", "acme", "", "acct")
        assert answer.startswith("refused") and "opt in" in answer, answer
        assert "opt in" in d.ask("link-url", "acme", "s1", "")
        time.sleep(0.5)
        assert stub.state()["paths"] == {}


def webhook_of_an_ended_meeting():
    with Stub() as stub, Driver(stub.base) as d:
        stub.set(not_ready=[FULL])
        d.link_server("acme", "qExAmPLeTzexKYTb_I2rpg")
        d.ask("wait", "2")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
        event = {"event": "meeting.ended", "event_ts": 5, "payload": {
            "account_id": "qExAmPLeTzexKYTb_I2rpg", "object": {"uuid": "KfiFEgBK8L+jC4v6ZdMwYg==", "id": "1",
                                                               "start_time": now, "end_time": now}}}
        assert d.hook(event).startswith("200")
        wait_for("its sweep", lambda: "KfiFEgBK8L+jC4v6ZdMwYg==" in d.meetings())
        check = {"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}
        assert json.loads(d.hook(check)[4:])["plainToken"] == "abc"


def tokens_rotate():
    with Stub() as stub, Driver(stub.base) as d:
        assert d.link(stub).startswith("linked")
        d.wait()
        for n in range(1, 4):
            stub.request("/_ctl/expire", {})
            d.ask("sync", "acme")
            wait_for("a refresh", lambda n=n: stub.state()["rotations"] == n)
            # The new pair is on disk before its first use.
            wait_for("its use", lambda n=n: stub.state()["used"] > n)
            d.kill()
            d.start()
        d.ask("sync", "acme")
        wait_for("a sync", lambda: d.account()["last_status"] == "success")
        assert stub.state()["refresh"] == 1
        for name in d.credentials():
            assert os.stat(f"{d.dir}/credentials/{name}").st_mode & 0o777 == 0o600
        assert os.stat(f"{d.dir}/key").st_mode & 0o777 == 0o600


def no_secret_in_any_log():
    with Stub() as stub, Driver(stub.base) as d:
        stub.faults({"match": "/participants", "times": 3, "status": 500},
                    {"match": "/metrics/meetings\\?", "times": 1, "sample": "error_429_per_second.json"})
        assert d.link(stub).startswith("linked")
        stub.request("/_ctl/expire", {})
        d.ask("wait", "5")
        d.stop()
        text = d.log_text()
        for secret in ("AAA.", "refresh.", "example-client-secret", "@example.com", "10.20.", "Mateo"):
            assert secret not in text, secret


def limits_are_kept():
    with Stub("--limits", "--meetings", 25, "--people", 25, "--minutes", 10) as stub, \
            Driver(stub.base, ZOOM_SCALE=1) as d:
        d.link_server()
        d.wait(60)
        assert stub.state()["problems"] == [], stub.state()["problems"]
        assert all(m[:2] == (25, 250) for m in d.meetings().values())
        assert len(d.meetings()) == 25


def uuids_with_slashes():
    with Stub("--meetings", 40, "--people", 1, "--minutes", 1) as stub, \
            Driver(stub.base) as d:
        d.link_server()
        d.wait()
        assert len(d.meetings()) == 40 and all(m[3] == "done" for m in d.meetings().values())
        assert any(u.startswith("/") for u in d.meetings()) and any("//" in u for u in d.meetings())
        assert stub.state()["problems"] == []


def H24_errors_of_all_kinds():
    names = [n for n in os.listdir(os.path.join(os.path.dirname(__file__), "samples")) if n.startswith("error_")]
    with Stub("--meetings", 40, "--people", 3, "--minutes", 5) as stub, \
            Driver(stub.base) as d:
        # A second 124 for the same request would be a failure, rightly.
        permanent = ("124_invalid", "4711", "4700", "_200_", "_400_", "2300", "daily", "12702", "webinar", "1001", "validation", "3001")
        passing = [n for n in names if not any(p in n for p in permanent)]
        stub.faults(*[{"match": "/metrics/meetings/", "after": 7 * i, "sample": n} for i, n in enumerate(passing)])
        d.link_server()
        d.wait(60)
        assert stub.state()["faults"] == []
        assert len(d.meetings()) == 40 and all(m[:2] == (3, 15) for m in d.meetings().values()), d.meetings()


def H25_killed_anywhere():
    kills = int(os.environ.get("KILLS", "40"))
    rng = random.Random(5)
    with Stub("--meetings", 60, "--people", 25, "--minutes", 10) as stub, \
            Driver(stub.base, ZOOM_SCALE=2, ZOOM_DAILY=50000) as d:
        assert d.link(stub).startswith("linked")
        for n in range(kills):
            time.sleep(rng.uniform(0, 0.4))
            d.kill()
            d.start()
        d.wait(120)
        meetings = d.meetings()
        assert len(meetings) == 60, len(meetings)
        assert all(m == (25, 250, 1, "done") for m in meetings.values()), meetings
        assert d.account()["last_status"] == "success"


def H26_daily_limit():
    with Stub("--limits", "--meetings", 30, "--people", 3, "--minutes", 5) as stub, \
            Driver(stub.base, ZOOM_SCALE=1) as d:
        stub.set(daily_limit=20)
        d.link_server()
        wait_for("the limit", lambda: d.account()["error"] == "API daily rate limit reached")
        # Both labels that share it, once each, and what was under way.
        d.ask("sync", "acme")
        time.sleep(1)
        before = stub.state()["daily"]
        assert before <= 26, before
        for _ in range(5):
            d.ask("sync", "acme")
            d.kill()
            d.start()
            time.sleep(0.3)
        assert stub.state()["daily"] == before, stub.state()["daily"]
        assert d.account()["last_status"] == "failed"


def own_budget_is_kept():
    with Stub("--meetings", 60, "--people", 3, "--minutes", 5) as stub, \
            Driver(stub.base, ZOOM_DAILY=100) as d:
        d.link_server()
        for _ in range(8):
            time.sleep(0.15)
            d.kill()
            d.start()
        time.sleep(1)
        counts = stub.state()["counts"]
        assert sum(counts.values()) <= 100, counts


def hostile_bodies():
    with Stub("--meetings", 3, "--people", 3, "--minutes", 5) as stub, Driver(stub.base, ZOOM_TOTAL_MS=3000) as d:
        d.link_server()
        d.wait()
        for fault in ({"huge": 1024}, {"deep": 100000}, {"cut": 1}, {"drip": 30}, {"close": 1},
                      {"body": "<html>no</html>"}, {"body": "null"}, {"body": {"meetings": 7, "next_page_token": {}}},
                      {"headers": {"X-Long": "y" * 60000, "X-More": "y" * 60000}},
                      {"headers": {"Content-Encoding": "gzip"}, "body": "not gzip"}):
            stub.faults({"match": "/metrics/meetings\\?", "times": 1, **fault})
            d.ask("sync", "acme")
            wait_for(f"the fault {fault}", lambda: not stub.state()["faults"])
            asked = stub.state()["paths"]["/v2/metrics/meetings"]
            d.ask("sync", "acme")
            wait_for(f"recovery from {fault}", lambda n=asked: stub.state()["paths"]["/v2/metrics/meetings"] > n, 30)
        rss, _ = d.usage()
        assert rss < (150 << 10) or "san" in BUILD.split("/"), rss
        assert len(d.meetings()) == 3


def endless_pages():
    with Stub("--meetings", 3, "--people", 3, "--minutes", 5) as stub, Driver(stub.base) as d:
        stub.faults({"match": "/metrics/meetings\\?", "times": 100000,
                     "body": {"meetings": [], "next_page_token": "again"}})
        d.link_server()
        time.sleep(2)
        assert stub.state()["counts"].get("resource", 0) + 40 < 5000
        assert stub.state()["paths"]["/v2/metrics/meetings"] < 40


def storms_of_refusals():
    for name, said in (("error_429_no_hint.json", None), ("error_124_expired_token.json", "failed")):
        with Stub("--meetings", 3, "--people", 3, "--minutes", 5) as stub, Driver(stub.base) as d:
            d.link_server()
            d.wait()
            stub.faults({"match": "/v2/", "times": 100000, "sample": name})
            before = sum(stub.state()["paths"].values())
            for _ in range(10):
                d.ask("sync", "acme")
                time.sleep(0.3)
            # Each answer of 429 doubles the wait; an expired token is renewed once, and that is that.
            asked = sum(stub.state()["paths"].values()) - before
            assert 0 < asked < 40, (name, asked)
            if said:
                wait_for(f"{said} of {name}", lambda: d.account()["last_status"] == said, 20)
            stub.faults()
            d.ask("sync", "acme")
            wait_for(f"recovery from {name}", lambda: d.account()["last_status"] == "success", 70)
            rss, _ = d.usage()
            assert rss < (150 << 10) or "san" in BUILD.split("/"), rss


def token_goes_nowhere_else():
    with Stub(cert="stub") as elsewhere, Stub("--api-url", "https://localhost:1") as stub:
        with Driver(stub.base) as d:
            stub.faults({"match": "/metrics/meetings", "times": 5, "status": 302,
                         "headers": {"Location": elsewhere.base + "/v2/metrics/meetings"}},
                        {"match": "/oauth/token", "times": 1, "status": 307,
                         "headers": {"Location": elsewhere.base + "/oauth/token"}})
            answer = d.ask("link-server", "acme", "dana@example.com", "acct")
            assert answer.startswith("refused"), answer
            d.link_server()
            d.ask("wait", "4")
            assert elsewhere.state()["paths"] == {}
            # An api_url that is not the configured one was not believed: requests came here.
            assert stub.state()["paths"].get("/v2/metrics/meetings", 0) > 0


def wrong_tls():
    for cert in ("other", "name"):
        with Stub(cert=cert) as stub, Driver(stub.base) as d:
            answer = d.ask("link-server", "acme", "dana@example.com", "acct")
            assert answer.startswith("refused") and "certificate" in answer.lower(), answer


def nothing_inside_unless_configured():
    with Stub() as stub, Driver(stub.base, ZOOM_PUBLIC_ONLY=1) as d:
        answer = d.ask("link-server", "acme", "dana@example.com", "acct")
        assert "not on the Internet" in answer, answer
        assert stub.state()["paths"] == {}


def plain_http_is_refused():
    with Driver("http://localhost:1") as d:
        assert "https" in d.ask("link-server", "acme", "dana@example.com", "acct")


TESTS = [samples_are_read, summaries_are_asked_for_where_there_are_any, live_meetings, A1_link_in_the_browser, A1_what_goes_wrong_is_said_and_nothing_stored,
         A2_one_account_in_two_organisations, A2_two_accounts_in_one_organisation, A3_status, A4_unlink,
         A4_deauthorized_by_webhook, A6_not_an_administrator, A7_off_until_opted_in, webhook_of_an_ended_meeting,
         tokens_rotate, no_secret_in_any_log, limits_are_kept, uuids_with_slashes, H24_errors_of_all_kinds,
         H25_killed_anywhere, H26_daily_limit, own_budget_is_kept, hostile_bodies, endless_pages,
         storms_of_refusals, token_goes_nowhere_else, wrong_tls, nothing_inside_unless_configured, plain_http_is_refused]

if __name__ == "__main__":
    prepare()
    sys.exit(run(TESTS))
