#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""insightd and its CLI, end to end, against the stub of Zoom over TLS. usage: check.py BUILD [words of test names]

KILLS=200 kills the service that often during a sync.
"""
import glob
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse

from service import BASE, BUILD, Filled, Insightd, Router, Stub, prepare, run, wait_for

FULL = "RCCCPP3m8cJrMPkOx90B5A=="
HOUR = ("from", "2024-07-11T14:00", "to", "2024-07-11T16:00")
MATEO = ("MATEO-MBP", "0a1b2c3d4e02", "10.20.7.118")


# --- linking and syncing ----------------------------------------------------------------------------

def meetings_of_zoom_appear_in_the_cli():
    with Stub() as stub, Insightd(stub.base) as d:
        assert d.link_server() == "account acct: Linked\n"
        d.wait()
        calls = [c for c in d.calls() if c["meeting_uuid"] == FULL]
        # Three of eight joins are of the managed network: two by private address and one again.
        assert {(c["hostname"], c["match"]) for c in calls} == {
            ("HQ-WS-0431", "public_ip+lan"), ("MATEO-MBP", "public_ip+lan")}, calls
        assert len(calls) == 3
        mateo = next(c for c in calls if c["rating"])
        assert (mateo["mac"], mateo["ip"], mateo["rating"]) == ("0a1b2c3d4e02", "10.20.7.118", 1), mateo
        assert mateo["minutes"] > 0 and mateo["meeting_id"] == "84120657733"
        assert d.account()["dropped_participants"] == 5
        text = d.text("zoom", "calls", "last", "1d")
        assert "MATEO-MBP" in text and "1-3 of 3" in text, text
        assert stub.state()["problems"] == []


def zooms_own_scores_are_shown():
    with Stub() as stub, Insightd(stub.base) as d:
        stub.set(qss=True)
        d.link_server()
        d.wait()
        quality = {c["user"]: c["audio_quality"] for c in d.calls()}
        assert quality["Priya Raman"]["mos"] == 3.42 and quality["Priya Raman"]["mos_range"] == "3-4", quality
        assert "mos" not in next(q for user, q in quality.items() if user != "Priya Raman"), quality
        assert "fair 3.4" in d.text("zoom", "calls", "last", "1d")


def C8_nobody_from_elsewhere_is_stored():
    with Stub() as stub, Insightd(stub.base) as d:
        d.link_server()
        d.wait()
        d.stop()
        text = b"".join(open(f, "rb").read() for f in glob.glob(f"{d.state}/insight.db*"))
        assert b"Priya Raman" in text
        for name in (b"Omar Haddad", b"Sofia", b"Yuki Tan", b"+1"):
            assert name not in text, name
        db = sqlite3.connect(f"{d.state}/insight.db")
        assert db.execute("SELECT count(*), sum(host IS NULL) FROM meeting").fetchone() == (5, 4)
        db.close()
        d.start()


def A1_link_in_the_browser_by_the_cli():
    with Stub() as stub, Insightd(stub.base) as d:
        link = subprocess.Popen([f"{BUILD}/fairlead", "-s", d.socket, "zoom", "link", "consent", "dana@example.com"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        url = link.stdout.readline().strip()
        back = stub.consent(url)
        out, err = link.communicate("https://portal.example.net/zoom/callback?" + urllib.parse.urlencode(back) + "\n")
        assert link.returncode == 0 and "7000012345: Linked" in out, (out, err)
        assert "administrator" in err and "https://portal.example.net/zoom/callback" in err
        d.wait()
        account = d.account()
        assert account["linked_by"] == "dana.okafor@example.com" and account["company"] == "Example Corp"
        text = d.text("zoom", "account", "7000012345")
        for part in ("Example Corp", "dana.okafor@example.com", "success", "opted in by", "7000012345"):
            assert part in text, text
        assert "7000012345" in d.text("zoom", "accounts")


def A1_what_goes_wrong_is_said_and_nothing_stored():
    with Stub() as stub, Insightd(stub.base) as d:
        def paste(line):
            return d.cli("zoom", "link", "consent", "dana@example.com", check=1, stdin=line)[2]
        assert "begin again" in paste("https://portal.example.net/zoom/callback?code=x&state=wrong\n")
        assert "nothing is linked" in paste("")
        link = subprocess.Popen([f"{BUILD}/fairlead", "-s", d.socket, "zoom", "link", "consent", "dana@example.com"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        state = stub.consent(link.stdout.readline().strip())["state"]
        _, err = link.communicate(f"https://portal.example.net/zoom/callback?state={state}&error=access_denied\n")
        assert link.returncode == 1 and "denied" in err, err
        stub.faults({"match": "/oauth/token", "status": 400, "body": {"reason": "Invalid client_id or client_secret",
                                                                      "error": "invalid_client"}})
        err = d.cli("zoom", "link", "consent", "dana@example.com", "server", "acct", check=1)[2]
        assert "client" in err, err
        assert d.credentials() == [] and d.json("zoom", "accounts")["linked"] is False


def A7_off_until_opted_in():
    with Stub() as stub, Insightd(stub.base, enabled=False) as d:
        assert "opt in" in d.cli("zoom", "link", "consent", "dana@example.com", "server", "acct", check=1)[2]
        assert "enabled" in d.text("zoom", "accounts")
        d.conf["enabled"] = True
        d.stop()
        d.start()
        assert "opts in" in d.cli("zoom", "link", "server", "acct", check=2)[2]
        assert "has linked no Zoom account" in d.text("zoom", "accounts")
        time.sleep(0.3)
        assert stub.state()["paths"] == {}


def A4_unlink():
    with Stub() as stub, Insightd(stub.base) as d:
        d.link_server("first")
        d.wait()
        assert "no account \"nobody\"" in d.cli("zoom", "unlink", "nobody", check=1)[2]
        assert len(d.calls()) > 0
        assert "unlinked first" in d.text("zoom", "unlink", "first", "data")
        assert d.credentials() == [] and d.calls() == []
        assert d.json("zoom", "accounts")["accounts"] == []
        assert "has linked no account" in d.cli("zoom", "sync", check=1)[2]


def A2_two_organisations():
    with Stub() as stub, Insightd(stub.base) as d:
        d.link_server()
        d.cli("zoom", "link", "consent", "sam@example.com", "server", "acct", "org", "beta")
        assert len(d.credentials()) == 1
        d.cli("zoom", "unlink", "acct")
        assert d.json("zoom", "accounts")["accounts"] == []
        assert d.json("zoom", "accounts", "org", "beta")["accounts"][0]["consent_by"] == "sam@example.com"
        assert "asking Zoom for 1 account;" in d.text("zoom", "sync", "org", "beta")


def B_live_meetings_end():
    """What was seen while a meeting went on is no reason not to ask for it after its end."""
    with Stub() as stub, Insightd(stub.base, zoom={"live": True}) as d:
        d.link_server()
        d.wait()
        wait_for("live calls", lambda: any(c["leave_time"] is None for c in d.calls()))
        live = next(c for c in d.calls() if c["leave_time"] is None)
        db = sqlite3.connect(f"{d.state}/insight.db")
        assert db.execute("SELECT count(*) FROM work WHERE uuid = ?", (live["meeting_uuid"],)).fetchone() == (0,)
        assert db.execute("SELECT end_s FROM meeting WHERE uuid = ?", (live["meeting_uuid"],)).fetchone() == (None,)
        db.close()


# --- robustness ---------------------------------------------------------------------------------------

def H25_killed_anywhere():
    kills = int(os.environ.get("KILLS", "20"))
    rng = random.Random(7)
    with Stub("--meetings", 60, "--people", 20, "--minutes", 10) as stub, \
            Insightd(stub.base, zoom={"request-rate-percent": 200}) as d:
        url = subprocess.Popen([f"{BUILD}/fairlead", "-s", d.socket, "zoom", "link", "consent", "dana@example.com"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        back = stub.consent(url.stdout.readline().strip())
        url.communicate("https://portal.example.net/zoom/callback?" + urllib.parse.urlencode(back) + "\n")
        assert url.returncode == 0
        for n in range(kills):
            time.sleep(rng.uniform(0, 0.4))
            if n % 5 == 4:
                # At the first use of a new token, which must be on disk by then. (Killed between Zoom's answer
                # and the disk, an account is lost: Zoom has killed the old token. zoom-api.md 9)
                used = stub.state()["used"]
                stub.request("/_ctl/expire", {})
                d.cli("zoom", "sync")
                wait_for("use of a new token", lambda n=used: stub.state()["used"] > n)
            d.kill()
            d.start()
        d.wait(120)
        db = sqlite3.connect(f"{d.state}/insight.db")
        assert db.execute("SELECT count(*), count(DISTINCT uuid) FROM meeting").fetchone() == (60, 60)
        assert db.execute("SELECT count(*), count(DISTINCT meeting || key) FROM call").fetchone() == (1200, 1200)
        assert db.execute("SELECT count(*) FROM minute").fetchone() == (12000,)
        assert db.execute("SELECT count(*) FROM work").fetchone() == (0,)
        # Sums say the same as what they are sums of.
        assert db.execute("SELECT sum(minutes) FROM call").fetchone() == (12000,)
        assert db.execute("SELECT count(*) FROM meeting WHERE start_s = 0 OR end_s IS NULL").fetchone() == (0,)
        db.close()
        hq = d.json("zoom", "insights", "site", "hq", "last", "2d")["summary"]
        assert hq["total_minutes"] == 12000, hq
        account = d.account()
        assert account["last_status"] == "success", account
        # The token still works: it can be replaced once more, by whatever asks first.
        before = stub.state()["rotations"]
        stub.request("/_ctl/expire", {})
        d.cli("zoom", "sync")
        wait_for("a refresh", lambda: stub.state()["rotations"] > before)
        wait_for("a sync", lambda: d.account()["last_status"] == "success")


def damaged_store_is_put_aside():
    with Stub() as stub, Insightd(stub.base) as d:
        d.link_server()
        d.wait()
        calls = len(d.calls())
        d.stop()
        with open(f"{d.state}/insight.db", "r+b") as f:
            f.seek(4096)
            f.write(os.urandom(60000))
        for part in ("-wal", "-shm"):
            if os.path.exists(f"{d.state}/insight.db{part}"):
                os.unlink(f"{d.state}/insight.db{part}")
        d.start()
        assert "put aside" in d.text("zoom", "status")
        assert len(glob.glob(f"{d.state}/insight.db.damaged-*")) == 1
        # The account is still linked, and brings everything again.
        d.wait()
        assert len(d.calls()) == calls
        assert "put aside as" in d.log_text()


def full_disk_is_survived():
    if os.geteuid():
        return "mounts a small disk: needs root"
    with Stub("--meetings", 40, "--people", 20, "--minutes", 10) as stub:
        d = Insightd(stub.base)
        os.mkdir(d.state, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k,mode=0700", "fl-insightd", d.state], check=True)
        try:
            d.start()
            d.link_server()
            wait_for("a full disk", lambda: d.account()["last_status"] == "failed")
            assert "No space left" in d.account()["error"], d.account()
            kept = len(d.calls())
            # It goes on answering, and what is there is whole.
            assert "No space left" in d.text("zoom", "account", "acct")
            subprocess.run(["mount", "-o", "remount,size=64m", d.state], check=True)
            d.cli("zoom", "sync")
            d.wait(90)
            assert len(d.calls()) == 800 > kept and d.account()["last_status"] == "success"
        finally:
            d.stop()
            subprocess.run(["umount", d.state], check=True)
            d.__exit__()


def older_stores_are_brought_up_to_date():
    with Insightd(enabled=False) as d:
        d.stop()
        os.unlink(f"{d.state}/insight.db")
        schemas = sorted(glob.glob("schemas/store/*.sql"))
        with open(schemas[0], encoding="utf-8") as f:
            db = sqlite3.connect(f"{d.state}/insight.db")
            db.executescript(f.read() + "PRAGMA user_version = 1;"
                             "INSERT INTO meeting VALUES (1, 1, 'u', 5, NULL, NULL, NULL, unixepoch(), NULL, 1, 0);")
            db.close()
        d.start()
        assert d.json("zoom", "status")["store"]["meetings"] == 1
        d.stop()
        db = sqlite3.connect(f"{d.state}/insight.db")
        assert db.execute("PRAGMA user_version").fetchone() == (len(schemas),)
        assert db.execute("SELECT number FROM meeting").fetchone() == (5,)
        # One of the future is left alone.
        db.execute("PRAGMA user_version = 99")
        db.close()
        done = subprocess.run([f"{BUILD}/fairlead-insightd", "-c", f"{d.dir}/insight.json", "--state", d.state,
                               "--run", d.run_dir], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 1 and "newer version" in done.stderr, done
        os.unlink(f"{d.state}/insight.db")
        d.start()


def systemd_is_told():
    with Insightd(enabled=False) as d:
        d.stop()
        path = f"{d.dir}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(10)
            d.start(NOTIFY_SOCKET=path, WATCHDOG_USEC="400000")
            def told(what):
                while notify.recv(4096) != what:
                    pass
            told(b"READY=1")
            told(b"WATCHDOG=1")
            told(b"WATCHDOG=1")
            d.process.send_signal(1)
            told(b"RELOADING=1")
            told(b"READY=1")
            d.process.terminate()
            told(b"STOPPING=1")
        assert d.process.wait(10) == 0


def no_privilege_is_needed():
    if os.geteuid():
        return "gives privileges up: needs root"
    with Stub() as stub:
        d = Insightd(stub.base)
        for path in (d.dir, d.state, d.run_dir):
            os.makedirs(path, exist_ok=True)
            os.chown(path, 65534, 65534)
        d.start("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
                "--inh-caps=-all")
        try:
            with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, status
            d.link_server()
            d.wait()
            assert len(d.calls()) == 3
        finally:
            d.__exit__()


def configuration_is_read_again():
    with Stub() as stub, Insightd(stub.base) as d:
        d.link_server()
        d.conf["sites"] = [d.conf["sites"][0], {"name": "branch1"}]
        d.write_conf()
        d.process.send_signal(1)
        wait_for("the new site", lambda: len(d.json("zoom", "sites")["sites"]) == 2)
        assert d.account()["account_id"] == "acct"
        d.conf["sites"] = 7
        d.write_conf()
        d.process.send_signal(1)
        wait_for("a complaint", lambda: "the configuration in use stays" in d.log_text())
        assert len(d.json("zoom", "sites")["sites"]) == 2


def one_at_a_time():
    with Insightd(enabled=False) as d:
        second = subprocess.run([f"{BUILD}/fairlead-insightd", "-c", f"{d.dir}/insight.json", "--state", d.state,
                                 "--run", d.dir + "/other"], capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 1 and "another fairlead-insightd runs" in second.stderr, second


def nobody_else_reads_what_is_stored():
    with Stub() as stub, Insightd(stub.base) as d:
        stub.faults({"match": "/participants", "times": 2, "status": 500})
        d.link_server()
        d.wait()
        for root, dirs, files in os.walk(d.state):
            for name in dirs + files:
                assert os.stat(f"{root}/{name}").st_mode & 0o077 == 0, name
        assert os.stat(d.state).st_mode & 0o077 == 0
        assert os.stat(d.socket).st_mode & 0o007 == 0
        d.stop()
        sealed = b"".join(open(f"{d.state}/credentials/{n}", "rb").read() for n in d.credentials())
        for secret in (b"S2S.", b"example-client-secret"):
            assert secret not in sealed
        text = d.log_text()
        for secret in ("S2S.", "example-client-secret", "example-secret-token", "@example.com", "10.20.", "Mateo"):
            assert secret not in text, secret
        d.start()


def the_cli_says_what_is_wrong():
    with Insightd(enabled=False) as d:
        d.stop()
        code, _, err = d.cli("zoom", "accounts", check=5)
        assert "fairlead-insightd does not run" in err and "systemctl start fairlead-insightd" in err, err
        d.start()
        assert d.cli("zoom", "calls", "last", "soon", check=2)[2].count("no time") == 1
        assert "usage: fairlead zoom rank" in d.cli("zoom", "rank", check=2)[2]
        assert "no site \"mars\"" in d.cli("zoom", "calls", "site", "mars", check=1)[2]
        assert "no client" in d.cli("zoom", "client", "nobody", check=1)[2]
        assert "no stream" in d.cli("zoom", "rank", "1", "stream", "smell", check=2)[2]
        assert "nobody here" in d.cli("zoom", "rank", "1", check=1)[2]
        assert "end after it begins" in d.cli("zoom", "insights", "from", "2024-07-12", "to", "2024-07-11", check=2)[2]
        checklist = d.text("zoom", "checklist")
        for part in ("no data yet", "Business plan", "Show meeting quality score", "Feedback to Zoom", "sign in",
                     "managed network"):
            assert part in checklist, checklist


def configuration_is_checked():
    def check(text, *options):
        with open(conf, "w", encoding="utf-8") as f:
            f.write(text)
        return subprocess.run([f"{BUILD}/fairlead-insightd", "-c", conf, *options], capture_output=True, text=True,
                              timeout=20, check=False)
    with Insightd(enabled=False) as d:
        conf = f"{d.dir}/other.json"
        done = check('{"zoom": {"client-secret": "hush", "webhook-secret": "hush"}}', "-p")
        assert done.returncode == 0 and "hush" not in done.stdout
        printed = json.loads(done.stdout)
        assert printed["enabled"] is False and printed["zoom"]["api-base"] == BASE
        assert check(done.stdout, "-n").returncode == 0
        bad = check('{"zoom": {"api-base": "http://zoom.us"}, "store": {"minute-days": 0}, "sites": [{}]}', "-n")
        assert bad.returncode == 3
        for part in ("/zoom/api-base: must be https", "/store/minute-days: must be a whole number of 1 to",
                     "/sites/0: has no name"):
            assert part in bad.stderr, bad.stderr
    schema = subprocess.run([f"{BUILD}/fairlead-insightd", "--schema"], capture_output=True, text=True, check=True)
    with open("schemas/insight.schema.json", encoding="utf-8") as f:
        assert f.read() == schema.stdout, "run `make schemas`"


# --- what is to be seen ---------------------------------------------------------------------------------

def ranked(d):
    wait_for("ranking", lambda: d.json("zoom", "insights", "site", "hq", *HOUR)["summary"]["bad_minutes_unranked"] == 0)


def C9_C11_insights_of_a_site():
    with Filled() as d, open("test/insight/data/product/calls_summary.json", encoding="utf-8") as f:
        ranked(d)
        got = d.json("zoom", "insights", "site", "hq", *HOUR)
        expected = json.load(f)
        assert {k: got["summary"][k] for k in expected} == expected, got["summary"]
        assert got["summary"]["feedback"] == {"poor": 1, "average": 0, "good": 0}
        assert got["interval"] == 600 and len(got["series"]) == 20
        assert all(len(s) == 12 for s in got["series"].values())
        text = d.text("zoom", "insights", "site", "hq", *HOUR)
        for part in ("latency audio in", "wan-avg-latency", "WAN 20, client 28", "1 poor, 0 average", "\u2588"):
            assert part in text, text
        assert "which site" in d.cli("zoom", "insights", *HOUR, check=2)[2]
        # Another width from a day on.
        assert d.json("zoom", "insights", "site", "hq", "from", "2024-07-11", "to", "2024-07-12")["interval"] == 3600


def C13_clients():
    with Filled() as d:
        rows = d.json("zoom", "clients", "site", "hq", *HOUR)["results"]
        mateo = next(r for r in rows if r["hostname"] == MATEO[0])
        assert (mateo["mac"], mateo["ip"], mateo["user"], mateo["min_rating"]) == (*MATEO[1:], "Mateo Silva", 1)
        assert {r["site_name"] for r in d.json("zoom", "clients", *HOUR)["results"]} == {"hq", "branch1"}
        assert "0a1b2c3d4e02  MATEO-MBP" in d.text("zoom", "clients", *HOUR)


def D14_D15_D16_one_client():
    with Filled() as d:
        seen = [d.json("zoom", "client", name, *HOUR) for name in MATEO]
        assert seen[0] == seen[1] == seen[2]
        got = seen[0]
        assert len(got["timestamps"]) == len(got["series"]["rssi"]) == len(got["series"]["wan-latency"]) == 28
        calls = got["calls"]["results"]
        assert [c["audio_quality"]["display"] for c in calls] == ["Good (MOS 4-5)", "Fair (MOS 3-4)"]
        assert calls[0]["join_time"] > calls[1]["join_time"] and calls[1]["has_feature_ranking"]
        kinds = [e["display"] for e in got["events"]["events"]]
        assert kinds == ["Client Joined Call (Zoom)", "Client Disconnected From Call (Zoom)",
                         "Client Joined Call (Zoom)", "Client Left Call (Zoom)"], kinds
        text = d.text("zoom", "client", "MATEO-MBP", *HOUR)
        for part in ("rssi", "1-2 of 2", "Client Disconnected From Call (Zoom)", "3 good, 0 neutral, 1 bad"):
            assert part in text, text


def E17_E18_E19_questions():
    with Filled() as d:
        for question, part in (("list zoom calls on July 11 2024", "5 Zoom calls"),
                               ("list bad zoom calls on July 11 2024", "2 bad Zoom calls"),
                               ("troubleshoot application Zoom for MATEO-MBP on Jul 11 2024", "201.4"),
                               ("troubleshoot application Zoom for 10.20.7.118 on Jul 11 2024 between 10:00 AM to 10:40 AM",
                                "Verdict: a bad call"),
                               ("troubleshoot application Zoom for NOBODY on Jul 11 2024", "No client"),
                               ("make me a sandwich", "I understand for example")):
            assert part in d.text("ask", question), (question, d.text("ask", question))
        # Without quotes, and as JSON.
        assert "2 bad Zoom calls" in d.text("ask", "list", "bad", "zoom", "calls", "on", "July", "11", "2024")
        assert "2 bad" in d.json("ask", "list bad zoom calls on July 11 2024")["answer"]


def F20_F22_ranking():
    with Filled() as d:
        got = d.json("zoom", "rank", "84120657733", "client", "MATEO-MBP", "stream", "audio_in", "from", "2024-07-11")
        rows = [row for call in got["calls"] for row in call["results"]]
        assert len(rows) == 10 and all(row["stream"] == "audio_in" for row in rows)
        for row in rows:
            total = row["expected"] + sum(row["contributions"].values()) + row["unexplained"]
            assert abs(total - row["observed"]) < 0.1 and row["dominant"] == "wan", row
            assert abs(sum(row["categories"].values()) - sum(row["contributions"].values())) < 0.1
        text = d.text("zoom", "rank", FULL, "from", "2024-07-11")
        for part in ("HQ-WS-0577", "client_vpn", "wan_rtt", "WWWW", "CCCC", "8 bad of 18 minutes"):
            assert part in text, text


def F20_ranked_again_when_the_router_was_away():
    with tempfile.TemporaryDirectory() as folder, Filled("zoom", enabled=True, routers=f"{folder}/*.sock") as d:
        def summary():
            return d.json("zoom", "insights", "site", "hq", *HOUR)["summary"]

        # Ranked, as far as that goes without the WAN.
        time.sleep(4)
        before = summary()
        assert before["bad_minutes"] == 20 and before["bad_minutes_site_wan"] == 0, before
        router = Router(f"{folder}/hq.sock")
        router.start()
        wait_for("the WAN's part", lambda: summary()["bad_minutes_site_wan"] == 20, 30)
        assert router.acked == len(list(router.records()))
        assert summary()["bad_minutes"] == 20 and summary()["bad_minutes_unranked"] == 0, summary()
        used = {c["usage_bytes"] for c in d.json("zoom", "calls", *HOUR)["results"] if c["hostname"] == "MATEO-MBP"}
        assert used == {201400000, 118600000}, used


TESTS = [meetings_of_zoom_appear_in_the_cli, zooms_own_scores_are_shown, C8_nobody_from_elsewhere_is_stored, A1_link_in_the_browser_by_the_cli,
         A1_what_goes_wrong_is_said_and_nothing_stored, A7_off_until_opted_in, A4_unlink, A2_two_organisations,
         B_live_meetings_end, H25_killed_anywhere, damaged_store_is_put_aside, full_disk_is_survived,
         older_stores_are_brought_up_to_date, systemd_is_told, no_privilege_is_needed, configuration_is_read_again,
         one_at_a_time, nobody_else_reads_what_is_stored, the_cli_says_what_is_wrong, configuration_is_checked,
         C9_C11_insights_of_a_site, C13_clients, D14_D15_D16_one_client, E17_E18_E19_questions, F20_F22_ranking,
         F20_ranked_again_when_the_router_was_away]

if __name__ == "__main__":
    prepare()
    sys.exit(run(TESTS))
