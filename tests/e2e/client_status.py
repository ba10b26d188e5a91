"""`estuary status` and --check-server against independent parties: OpenSSL's CA, its OCSP responder and its CRLs, served by Python."""
import contextlib
import http.server
import json
import shutil
import subprocess
import threading

from harness import ESTUARY, Path, StrangeServer, check_equal, check_in, free_port, need, run, run_program, wait_for

GOOD, FAILED, USAGE, NOT_TRUSTED, REVOKED, UNKNOWN, UNREACHABLE = 0, 1, 2, 3, 4, 5, 6


class Web:
    """Serves the files of a directory; `moved` maps paths to where they went."""

    def __init__(self, directory: Path):
        self.directory, self.moved, self.asked = directory, {}, []
        web = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(directory))

            def do_GET(self):
                web.asked.append(self.path)
                if self.path not in web.moved:
                    return super().do_GET()
                self.send_response(302)
                self.send_header("Location", web.moved[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


class Authority:
    """An `openssl ca` with everything in one directory: ca.pem, index.txt, certificates by name."""

    def __init__(self, directory: Path, name="openssl CA"):
        directory.mkdir()
        (directory / "new").mkdir()
        (directory / "web").mkdir()
        self.dir, self.web, self.ocsp_port = directory, Web(directory / "web"), free_port()
        (directory / "index.txt").touch()
        (directory / "serial").write_text("1000\n")
        (directory / "crlnumber").write_text("10\n")
        self.key(directory / "ca.key")
        self.openssl("req", "-x509", "-new", "-key", "ca.key", "-days", "30", "-subj", f"/CN={name}", "-out", "ca.pem",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def openssl(self, *command, check=True):
        return run_program("openssl", *command, cwd=self.dir, check=check)

    @staticmethod
    def key(path: Path):
        run_program("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)

    def configure(self, extensions="", crl_extensions=""):
        (self.dir / "ca.cnf").write_text(f"""
[ca]
default_ca = ours
[ours]
database = index.txt
new_certs_dir = new
serial = serial
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 10
default_crl_days = 2
policy = anything
x509_extensions = leaf
crl_extensions = list
unique_subject = no
[anything]
commonName = supplied
[leaf]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{extensions}
[list]
authorityKeyIdentifier = keyid
{crl_extensions}
""")

    @property
    def ocsp_url(self):
        return f"http://127.0.0.1:{self.ocsp_port}/"

    def pointers(self, ocsp=True, crl=True, issuer=False, delta=False) -> str:
        access = [f"OCSP;URI:{self.ocsp_url}"] * ocsp + [f"caIssuers;URI:{self.web.url}/ca.cer"] * issuer
        lines = [f"authorityInfoAccess={','.join(access)}"] if access else []
        lines += [f"crlDistributionPoints=URI:{self.web.url}/ca.crl"] * crl
        lines += [f"freshestCRL=URI:{self.web.url}/delta.crl"] * delta
        return "\n".join(lines)

    def issue(self, name: str, extensions="", *options) -> Path:
        self.configure(extensions)
        self.key(self.dir / f"{name}.key")
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-notext", "-in", f"{name}.csr", "-out", f"{name}.pem", *options)
        return self.dir / f"{name}.pem"

    def revoke(self, name: str, *options):
        self.configure()
        self.openssl("ca", "-config", "ca.cnf", "-revoke", f"{name}.pem", *options)

    def publish(self, file="ca.crl", *options, crl_extensions=""):
        self.configure(crl_extensions=crl_extensions)
        self.openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "list.pem", *options)
        self.openssl("crl", "-in", "list.pem", "-outform", "DER", "-out", f"web/{file}")
        return self.dir / "web" / file

    @contextlib.contextmanager
    def responder(self, signer="ca", *options, at=None):
        """`openssl ocsp` with what the index says now; `at`: its clock, as faketime takes it ("-3d")."""
        clock = [need("faketime"), "-f", at] if at else []
        with open(self.dir / "responder.log", "ab") as log:
            process = subprocess.Popen([*clock, "openssl", "ocsp", "-index", "index.txt", "-port", str(self.ocsp_port), "-CA", "ca.pem", "-rsigner",
                                        f"{signer}.pem", "-rkey", f"{signer}.key", *options], cwd=self.dir, stdout=log, stderr=log)
        try:
            wait_for(lambda: "waiting for OCSP client connections" in (self.dir / "responder.log").read_text(), what="the responder")
            yield self
        finally:
            process.terminate()
            process.wait(timeout=30)
            (self.dir / "responder.log").unlink()


def status(certificate, *options, expect):
    """Runs it; its output, and the exit status checked."""
    done = run_program(ESTUARY, "status", certificate, *options, check=False)
    assert done.returncode == expect, f"exit status {done.returncode}, not {expect}:\n{done.out}{done.err}"
    return done.out + done.err


def status_json(certificate, *options, expect):
    return json.loads(status(certificate, *options, "--json", expect=expect))


OCSP_SIGNING = "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored"


def test_ocsp_of_openssl(tmp):
    ca = Authority(tmp / "ca")
    issuer = ["--issuer", ca.dir / "ca.pem"]
    good = ca.issue("good", ca.pointers(crl=False))
    bad = ca.issue("bad", ca.pointers(crl=False))
    held = ca.issue("held", ca.pointers(crl=False))
    ca.issue("responder", OCSP_SIGNING)
    ca.revoke("bad", "-crl_compromise", "20261001120000Z")
    ca.revoke("held", "-crl_hold", "holdInstructionReject")
    never = ca.issue("never", ca.pointers(crl=False))
    lines = (ca.dir / "index.txt").read_text().splitlines(keepends=True)
    (ca.dir / "index.txt").write_text("".join(line for line in lines if "CN=never" not in line))

    with ca.responder("responder", "-ndays", "1"):
        text = status(good, *issuer, expect=GOOD)
        for part in ("good\n", "CN=good", f"OCSP {ca.ocsp_url}", "signed by CN=responder", "nonce matched", "holds until"):
            check_in(part, text)
        told = status_json(bad, *issuer, "--nonce", expect=REVOKED)
        check_equal((told["status"], told["reason"], told["source"]["kind"]), ("revoked", "keyCompromise", "ocsp"))
        check_equal(told["source"]["nonce_matched"], True)
        check_in("revoked (on hold) since", status(held, *issuer, expect=REVOKED))
        text = status(never, *issuer, expect=UNKNOWN)
        assert text.startswith("unknown\n"), text
        status(good, *issuer, "--no-nonce", "--max-age", "1h", expect=GOOD)
        status(good, *issuer, "--ocsp", "--trust", ca.dir / "ca.pem", expect=GOOD)
        # The same by a name of our own, for a certificate that names nobody.
        bare = ca.issue("bare")
        status(bare, *issuer, "--url", ca.ocsp_url, expect=GOOD)
    with ca.responder():  # the CA itself, without nextUpdate
        check_in("not said", status(bare, *issuer, "--url", ca.ocsp_url, expect=GOOD))
    check_in("Nobody could be reached", status(good, *issuer, expect=UNREACHABLE))


def test_ocsp_signed_by_somebody_else(tmp):
    ca, other = Authority(tmp / "ca"), Authority(tmp / "other", "another CA")
    issuer = ["--issuer", ca.dir / "ca.pem"]
    good = ca.issue("good", ca.pointers())
    ca.publish()
    ca.issue("plain", "extendedKeyUsage=serverAuth")  # of the same CA, but without a mandate
    other.issue("stranger", OCSP_SIGNING)
    for file in ("stranger.pem", "stranger.key"):
        shutil.copy(other.dir / file, ca.dir / file)
    for signer, why in (("plain", "OCSPSigning"), ("stranger", "")):
        with ca.responder(signer, "-ndays", "1"):
            text = status(good, *issuer, "--ocsp", expect=UNKNOWN)
            check_in("in vain", text)
            check_in(why, text)
            told = status_json(good, *issuer, expect=GOOD)  # the CRL helps
            check_equal(told["source"]["kind"], "crl")
            check_equal(told["in_vain"][0]["error"], "not_authenticated")


def test_crl_of_openssl(tmp):
    ca = Authority(tmp / "ca")
    issuer = ["--issuer", ca.dir / "ca.pem"]
    good, bad, held = (ca.issue(name, ca.pointers(ocsp=False)) for name in ("good", "bad", "held"))
    ca.revoke("bad", "-crl_compromise", "20261001120000Z")
    ca.revoke("held", "-crl_reason", "certificateHold")
    ca.publish()
    text = status(good, *issuer, expect=GOOD)
    check_in(f"CRL {ca.web.url}/ca.crl, signed by CN=openssl CA", text)
    told = status_json(bad, *issuer, expect=REVOKED)
    check_equal((told["reason"], told["invalidity_date"]), ("keyCompromise", "2026-10-01T12:00:00Z"))
    check_in("revoked (on hold)", status(held, *issuer, expect=REVOKED))

    status(good, *issuer, "--crl-file", ca.dir / "list.pem", expect=GOOD)
    status(bad, *issuer, "--crl-file", ca.dir / "web/ca.crl", expect=REVOKED)
    bare = ca.issue("bare")
    status(bare, *issuer, "--crl", "--url", f"{ca.web.url}/ca.crl", expect=GOOD)
    ca.web.moved["/old.crl"] = "/ca.crl"
    status(bare, *issuer, "--crl", "--url", f"{ca.web.url}/old.crl", expect=GOOD)
    ca.web.moved["/away.crl"] = "http://localhost:1/ca.crl"
    check_in("not followed", status(bare, *issuer, "--crl", "--url", f"{ca.web.url}/away.crl", expect=UNKNOWN))
    check_in("cannot be used", status(good, *issuer, "--max-crl-size", "100", expect=UNKNOWN))


def test_crls_not_to_be_believed(tmp):
    ca, other = Authority(tmp / "ca"), Authority(tmp / "other")  # a namesake
    issuer = ["--issuer", ca.dir / "ca.pem"]
    good = ca.issue("good", ca.pointers(ocsp=False))
    ca.publish("ca.crl", "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z")
    check_in("stale", status(good, *issuer, expect=UNKNOWN))
    other.publish()
    shutil.copy(other.dir / "web/ca.crl", ca.dir / "web/ca.crl")
    check_in("not signed by the certificate's issuer", status(good, *issuer, expect=UNKNOWN))
    (ca.dir / "web/ca.crl").write_bytes(ca.publish("whole.crl").read_bytes()[:-9])
    status(good, *issuer, expect=UNKNOWN)
    (ca.dir / "web/ca.crl").unlink()
    check_in("404", status(good, *issuer, expect=UNKNOWN))


def test_delta_crl(tmp):
    ca = Authority(tmp / "ca")
    issuer = ["--issuer", ca.dir / "ca.pem"]
    good = ca.issue("good", ca.pointers(ocsp=False, delta=True))
    bad = ca.issue("bad", ca.pointers(ocsp=False, delta=True))
    ca.publish()  # CRL number 0x10
    check_in("was not to be had", status(bad, *issuer, expect=GOOD))
    ca.revoke("bad", "-crl_reason", "superseded")
    ca.publish("delta.crl", crl_extensions="2.5.29.27=critical,DER:020110")  # deltaCRLIndicator
    told = status_json(bad, *issuer, expect=REVOKED)
    check_equal((told["reason"], told["source"]["delta_from"]), ("superseded", f"{ca.web.url}/delta.crl"))
    check_in("with delta", status(good, *issuer, expect=GOOD))
    files = [option for file in ("ca.crl", "delta.crl") for option in ("--crl-file", ca.dir / "web" / file)]
    status(bad, *issuer, *files, expect=REVOKED)
    status(bad, *issuer, *files[:2], expect=GOOD)


def test_issuer_and_trust(tmp):
    ca, other = Authority(tmp / "ca"), Authority(tmp / "other")
    ca.publish()
    dev = ca.issue("dev", ca.pointers(ocsp=False, issuer=True))
    check_in("--issuer FILE", status(dev, expect=FAILED))
    ca.openssl("x509", "-in", "ca.pem", "-outform", "DER", "-out", "web/ca.cer")
    check_in("its signature verified", status(dev, expect=GOOD))
    check_in("path to a trust anchor verified", status(dev, "--trust", ca.dir / "ca.pem", expect=GOOD))
    status(dev, "--issuer", other.dir / "ca.pem", expect=GOOD)  # that namesake did not sign; the right one is fetched
    status(dev, "--trust", other.dir / "ca.pem", expect=NOT_TRUSTED)
    shutil.copy(other.dir / "ca.pem", ca.dir / "web/ca.cer")
    check_in("did not sign", status(dev, "--issuer", other.dir / "ca.pem", expect=NOT_TRUSTED))
    chain = tmp / "chain.pem"
    chain.write_text(dev.read_text() + (ca.dir / "ca.pem").read_text())
    status(chain, expect=GOOD)


def test_certificate_that_names_nobody(tmp):
    ca = Authority(tmp / "ca")
    text = status(ca.issue("bare"), "--issuer", ca.dir / "ca.pem", expect=UNKNOWN)
    for part in ("names no OCSP responder", "names no CRL", "Say whom to ask", "--crl-file FILE"):
        check_in(part, text)


def test_usage(tmp):
    ca = Authority(tmp / "ca")
    dev = ca.issue("dev")
    for options in (["--ocsp", "--crl"], ["--nonce", "--no-nonce"], ["--max-age", "soon"], ["--url", "ftp://x/", "--issuer", ca.dir / "ca.pem"],
                    ["--crl-file", dev, "--ocsp"], ["--max-crl-size", "1TB"]):
        status(dev, *options, expect=USAGE)
    status(tmp / "none.pem", expect=FAILED)
    text = run_program(ESTUARY, "status", "--help").out
    for part in ("Exit status: 0 good", "4 revoked", "estuary status /etc/estuary/dev1"):
        check_in(part, text)


def test_directory_of_an_enrollment(server, tmp):
    (tmp / "pw").write_text(server.credential("dev"))
    run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--user", "dev", "--password-file", tmp / "pw",
                "--subject", "CN=dev", "--out", tmp / "dir")
    done = run_program(ESTUARY, "status", tmp / "dir", check=False)
    assert done.returncode in (GOOD, UNKNOWN, UNREACHABLE), (done.returncode, done.out, done.err)
    check_in("path to a trust anchor verified", done.out)


def write_index(ca: Path, certificate: Path, revoked=False):
    serial = run_program("openssl", "x509", "-noout", "-serial", "-in", certificate).out.strip().partition("=")[2]
    mark = "R\t301231000000Z\t261001000000Z,keyCompromise" if revoked else "V\t301231000000Z\t"
    (ca / "index.txt").write_text(f"{mark}\t{serial}\tunknown\t/CN=strange server\n")
    (ca / "index.txt.attr").write_text("unique_subject = no\n")


def test_check_server(tmp):
    port = free_port()
    server = StrangeServer(tmp / "strange", host=f"IP:127.0.0.1\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}/")

    def ask(mode, expect):
        before = len(server.asked)
        done = run_program(ESTUARY, "csrattrs", server.url, "--trust", server.root, *(["--check-server", mode] if mode else []), check=False)
        assert done.returncode == expect, (mode, done.returncode, done.out, done.err)
        assert (len(server.asked) > before) == (expect == 0), "something was sent, or nothing"
        return done.err

    ask(None, 0)
    ask("off", 0)
    check_in("warning", ask("soft", 0))
    check_in("cannot be told", ask("hard", 4))
    responder = Authority.__new__(Authority)  # only what responder() needs
    responder.dir, responder.ocsp_port = server.ca, port
    for name in ("pem", "key"):
        shutil.copy(server.ca / f"root.{name}", server.ca / f"ca.{name}")
    write_index(server.ca, server.dir / "server.pem")
    with responder.responder("ca", "-ndays", "1"):
        assert "warning" not in ask("soft", 0)
        ask("hard", 0)
    write_index(server.ca, server.dir / "server.pem", revoked=True)
    with responder.responder("ca", "-ndays", "1"):
        check_in("revoked since", ask("soft", 4))
        check_in("keyCompromise", ask("hard", 4))
        ask("off", 0)


if __name__ == "__main__":
    need("openssl")
    run(globals())
