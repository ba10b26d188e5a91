"""Client certificates of manufacturers, checked by their own CAs' OCSP and CRLs: OpenSSL's CA and responder, and a web server."""
import base64
import json
import shutil
import socket
import subprocess
import threading
import time

from client_status import OCSP_SIGNING, Authority
from harness import Server, check_equal, check_in, free_port, make_request, need, run, wait_for


class Silent:
    """Takes connections and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            self.connections.append(self.listener.accept()[0])


class Factory:
    """A manufacturer's CA, and a server that lets its devices in."""

    def __init__(self, tmp, check, addresses="any"):
        self.tmp = tmp
        self.maker = Authority(tmp / "maker", "Maker CA")
        self.server = Server(tmp / "data")
        text = self.server.config.read_text()
        check_in('enroll = ["basic", "certificate"]', text)
        text = text.replace('enroll = ["basic", "certificate"]', 'enroll = ["basic", "certificate", "manufacturer:acme"]', 1)
        check_line = f'check_status = "{check}"\n' if check else ""
        addresses_line = f'check_addresses = "{addresses}"\n' if addresses else ""
        self.server.config.write_text(text + f'\n[manufacturer.acme]\nanchors = "{self.maker.dir / "ca.pem"}"\n{check_line}{addresses_line}')

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.server.log()[-5000:])
        if self.server.process is not None:
            self.server.process.kill()
            self.server.process.wait()

    def device(self, name, extensions):
        return self.maker.issue(name, extensions)

    def command(self, name):
        """curl that enrolls by the certificate that the device was made with."""
        body = self.tmp / f"{name}.body"
        if not body.exists():
            body.write_bytes(base64.encodebytes(make_request(self.tmp, f"/CN={name}", name=name + "-new")))
        return [need("curl"), "-sS", "-o", "/dev/null", "-D", "-", "--max-time", "40", "--cacert", str(self.server.root),
                "--cert", str(self.maker.dir / f"{name}.pem"), "--key", str(self.maker.dir / f"{name}.key"),
                "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{body}",
                self.server.url + "/.well-known/est/simpleenroll"]

    def enroll(self, name):
        return self.head(subprocess.run(self.command(name), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60).stdout)

    @staticmethod
    def head(octets):
        lines = octets.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        try:
            return int(lines[0].split()[1]), headers
        except (IndexError, ValueError):
            raise AssertionError(octets)

    def refused(self):
        """What the audit trail has of refused clients."""
        events = [json.loads(line) for line in self.server.admin("audit", "list", "--json").out.splitlines()]
        return [event for event in events if event["event"] == "client.refused"]


def test_ocsp_of_openssl(tmp):
    for mode in ("soft", "hard"):
        (tmp / mode).mkdir()
        with Factory(tmp / mode, mode) as factory:
            maker = factory.maker
            maker.issue("responder", OCSP_SIGNING)
            factory.device("good", maker.pointers(crl=False))
            factory.device("bad", maker.pointers(crl=False))
            maker.revoke("bad", "-crl_reason", "keyCompromise")
            with maker.responder("responder"):
                check_equal(factory.enroll("good")[0], 200, mode)
                check_equal(factory.enroll("bad")[0], 403, mode)
            # What was learnt holds without the responder, and beyond a restart nothing of it does.
            check_equal(factory.enroll("good")[0], 200, mode)
            check_equal(factory.enroll("bad")[0], 403, mode)
            check_equal(len(factory.refused()), 1)
            check_in("keyCompromise", factory.refused()[0]["detail"])
            check_in("manufacturer:acme/", factory.refused()[0]["actor"])
            check_equal(factory.server.stop(), 0)
            factory.server.start()
            check_equal(factory.enroll("good")[0], 200 if mode == "soft" else 503, "nobody can be asked any more")
            with maker.responder("responder"):
                check_equal(factory.enroll("bad")[0], 200 if mode == "soft" else 503, "a silent host is left alone for a minute")


def test_crl_over_http(tmp):
    with Factory(tmp, "hard") as factory:
        maker = factory.maker
        for name in ("good", "bad", "late"):
            factory.device(name, maker.pointers(ocsp=False))
        maker.revoke("bad")
        maker.publish()
        check_equal(factory.enroll("good")[0], 200)
        check_equal(factory.enroll("bad")[0], 403)
        check_equal(factory.enroll("late")[0], 200)
        check_equal(maker.web.asked.count("/ca.crl"), 1, "one list serves them all")


def test_a_list_that_is_not_the_makers_is_not_believed(tmp):
    with Factory(tmp, "hard") as factory:
        maker = factory.maker
        factory.device("dev", maker.pointers(ocsp=False))
        other = Authority(tmp / "other", "Other CA")
        (maker.dir / "web/ca.crl").write_bytes(other.publish().read_bytes())
        status, headers = factory.enroll("dev")
        check_equal(status, 403, "nobody who can be believed says anything")
        check_in("not by", factory.server.log())


def test_answers_that_prove_nothing(tmp):
    """OCSP by a signer without a mandate, a stranger, or one whose certificate has expired; answers and lists that are too old."""
    for mode, let_in in (("hard", 403), ("soft", 200)):
        (tmp / mode).mkdir()
        with Factory(tmp / mode, mode) as factory:
            maker, other = factory.maker, Authority(tmp / mode / "other", "Maker CA")  # a namesake
            maker.issue("plain", "extendedKeyUsage=serverAuth")
            maker.issue("expired", OCSP_SIGNING, "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
            maker.issue("responder", OCSP_SIGNING)
            other.issue("stranger", OCSP_SIGNING)
            for file in ("stranger.pem", "stranger.key"):
                shutil.copy(other.dir / file, maker.dir / file)
            for number, (signer, time_of) in enumerate((("plain", None), ("expired", None), ("stranger", None), ("responder", "-3d"))):
                name = f"dev-{number}"
                factory.device(name, maker.pointers(crl=False))
                with maker.responder(signer, "-ndays", "1", at=time_of):
                    check_equal(factory.enroll(name)[0], let_in, (mode, signer, time_of))
            factory.device("dev-stale", maker.pointers(ocsp=False))
            maker.publish("ca.crl", "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z")
            check_equal(factory.enroll("dev-stale")[0], let_in, (mode, "stale list"))
            log = factory.server.log()
            for why in ("OCSPSigning", "expired", "stale"):
                check_in(why, log)
            check_equal(log.count("whether a client certificate is revoked cannot be told"), 5)


def test_a_forged_good_does_not_hide_a_revocation(tmp):
    with Factory(tmp, "soft") as factory:
        maker, other = factory.maker, Authority(tmp / "other", "Other CA")
        factory.device("bad", maker.pointers())
        said_good = (maker.dir / "index.txt").read_text()
        maker.revoke("bad", "-crl_reason", "keyCompromise")
        maker.publish()
        (maker.dir / "index.txt").write_text(said_good)
        other.issue("stranger", OCSP_SIGNING)
        for file in ("stranger.pem", "stranger.key"):
            shutil.copy(other.dir / file, maker.dir / file)
        with maker.responder("stranger", "-ndays", "1"):
            check_equal(factory.enroll("bad")[0], 403, "the list is believed, the stranger is not")
        check_in("keyCompromise", factory.refused()[0]["detail"])


def test_nobody_can_tell(tmp):
    for mode, nameless, silent in (("soft", 200, 200), ("hard", 403, 503), (None, 200, 200), ("off", 200, 200)):
        directory = tmp / (mode or "default")
        directory.mkdir()
        with Factory(directory, mode) as factory:
            factory.device("nameless", "")
            factory.device("silent", f"authorityInfoAccess=OCSP;URI:http://127.0.0.1:{free_port()}/")
            check_equal(factory.enroll("nameless")[0], nameless, mode)
            status, headers = factory.enroll("silent")
            check_equal(status, silent, mode)
            if status == 503:
                assert 0 < int(headers["retry-after"]) <= 60
            told = factory.server.log().count("whether a client certificate is revoked cannot be told")
            check_equal(told, 0 if mode == "off" else 2, f"{mode}: soft is the default, and says so each time")


def test_private_addresses_are_not_asked_by_default(tmp):
    with Factory(tmp, "soft", addresses=None) as factory:
        maker = factory.maker
        factory.device("dev", maker.pointers(ocsp=False))
        maker.publish()
        check_equal(factory.enroll("dev")[0], 200)
        check_equal(maker.web.asked, [], "bug class 29")
        check_in("has no public address", factory.server.log())


def test_a_hanging_responder_keeps_nobody_else_waiting(tmp):
    silent = Silent()
    with Factory(tmp, "soft") as factory:
        server, names = factory.server, [f"dev-{n}" for n in range(12)]
        for name in names:
            factory.device(name, f"authorityInfoAccess=OCSP;URI:{silent.url}{name}\ncrlDistributionPoints=URI:{silent.url}ca.crl")
            factory.command(name)
        password = server.credential("other", "--uses", "50")
        ders = [make_request(tmp, "/CN=other", name=f"other-{n}") for n in range(8)]
        started = time.monotonic()
        waiting = [subprocess.Popen(factory.command(name), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for name in names]
        wait_for(lambda: silent.connections, what="the responder was asked")
        slowest = 0
        for der in ders:
            begun = time.monotonic()
            check_equal(server.post("simpleenroll", der, "--user", f"other:{password}").status, 200)
            check_equal(server.curl("cacerts").status, 200)
            slowest = max(slowest, time.monotonic() - begun)
        assert all(process.poll() is None for process in waiting), "they still wait for the responder"
        print(f"the slowest of two requests beside {len(names)} that wait: {slowest:.2f} s")
        assert slowest < 2, slowest
        for process in waiting:
            check_equal(factory.head(process.communicate(timeout=60)[0])[0], 200, "soft: it goes on when nobody can tell")
        took = time.monotonic() - started
        assert took < 30, f"{took:.1f} s: silent hosts are not waited for by each"


def test_stopping_does_not_wait_for_a_hanging_responder(tmp):
    silent = Silent()
    with Factory(tmp, "hard") as factory:
        factory.device("dev", f"authorityInfoAccess=OCSP;URI:{silent.url}")
        command = factory.command("dev")
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_for(lambda: silent.connections, what="the responder was asked")
        started = time.monotonic()
        check_equal(factory.server.stop(), 0)
        status, headers = factory.head(waiting.communicate(timeout=30)[0])
        check_equal(status, 503)
        assert "retry-after" in headers
        assert time.monotonic() - started < 15


if __name__ == "__main__":
    run(globals())
