"""CMP with OpenSSL's own client (openssl cmp): every command that it has, with MACs and with signatures."""
import json
import subprocess
from pathlib import Path

from harness import *  # noqa: F403


class CmpServer(Server):
    """A server that speaks CMP over plain HTTP, with a label for each way to ask."""

    LABELS = """
[cmp]
listen = ["127.0.0.1:{port}"]
https = true
legacy_paths = ["/pkix/", "/cmp=explicit"]

[cmp.label.default]
profile = "device"
enroll = ["secret", "certificate"]
ca_pubs = true

[cmp.label.explicit]
profile = "device"
enroll = ["secret", "certificate"]
implicit_confirm = false

[cmp.label.manual]
profile = "manual"
enroll = ["secret"]

[cmp.label.closed]
profile = "device"
update = false
revoke = false

[profile.manual]
ca = "issuing"
key_types = ["p256"]
manual_approval = true
poll_interval = "1s"
[profile.manual.subject]
allowed = ["CN"]
"""

    def __init__(self, directory: Path, extra=""):
        super().__init__(directory)
        self.cmp_port = free_port()
        self.config.write_text(self.config.read_text() + self.LABELS.format(port=self.cmp_port) + extra)

    def secret(self, name, *options):
        return self.admin("credential", "add", name, "--type", "cmp", "--quiet", *options).out.strip()

    def cmp(self, command, *options, path=".well-known/cmp", check=True, tmp=None):
        """One run of `openssl cmp`. Status and output in what it gives."""
        done = run_program("openssl", "cmp", "-cmd", command, "-server", f"http://127.0.0.1:{self.cmp_port}/{path}",
                           "-recipient", "/CN=Test Issuing CA", "-total_timeout", "60", *options, check=check)
        return done


def with_server(test):
    def run_it(tmp):
        server = CmpServer(tmp / "data").start()
        try:
            test(server, tmp)
        except Exception:
            print("-- the server's log --\n" + server.log()[-6000:])
            raise
        finally:
            server.stop()
    run_it.__doc__ = test.__doc__
    return run_it


def new_key(tmp, name):
    run_program("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp / f"{name}.key")
    return tmp / f"{name}.key"


def mac(server, name, *options):
    return ["-ref", name, "-secret", f"pass:{server.secret(name, *options)}"]


def enrolled(server, tmp, name, *options, path=".well-known/cmp"):
    """A certificate by ir with a MAC: options of whoever has it."""
    key = new_key(tmp, name)
    server.cmp("ir", *mac(server, name), "-newkey", key, "-subject", f"/CN={name}", "-certout", tmp / f"{name}.pem", *options, path=path)
    return ["-cert", tmp / f"{name}.pem", "-key", key, "-trusted", server.root, "-untrusted", server.issuing]


def verify(server, certificate):
    run_program("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", server.issuing, certificate)


@with_server
def test_ir_with_a_mac(server, tmp):
    enrolled(server, tmp, "first", "-cacertsout", tmp / "roots.pem", "-chainout", tmp / "chain.pem")
    verify(server, tmp / "first.pem")
    check_equal(run_program("openssl", "x509", "-in", tmp / "roots.pem", "-noout", "-subject").out,
                run_program("openssl", "x509", "-in", server.root, "-noout", "-subject").out, "caPubs")


@with_server
def test_ir_with_every_mac(server, tmp):
    for number, options in enumerate([["-digest", "sha256", "-mac", "hmacWithSHA256"], ["-digest", "sha384", "-mac", "hmacWithSHA384"],
                                      ["-digest", "sha512", "-mac", "hmacWithSHA512"], []]):
        enrolled(server, tmp, f"mac{number}", *options)


@with_server
def test_implicit_confirm_is_granted_where_it_is_asked_for_and_configured(server, tmp):
    key = new_key(tmp, "dev")
    common = [*mac(server, "dev", "--uses", "9"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem"]
    done = server.cmp("ir", *common, "-implicit_confirm", "-verbosity", "7")
    assert "sending CERTCONF" not in done.out + done.err, done.err
    done = server.cmp("ir", *common, "-verbosity", "7")
    check_in("sending CERTCONF", done.out + done.err, "not asked for")
    done = server.cmp("ir", *common, "-implicit_confirm", "-verbosity", "7", path=".well-known/cmp/p/explicit")
    check_in("sending CERTCONF", done.out + done.err, "not granted")


@with_server
def test_unconfirmed_certificate_is_revoked(server, tmp):
    """bug class 27: who does not confirm has no certificate that lasts; who rejects it neither."""
    server.stop()
    server.config.write_text(server.config.read_text().replace("implicit_confirm = false", 'implicit_confirm = false\nconfirm_wait = "1s"'))
    server.start()
    key = new_key(tmp, "dev")
    server.cmp("ir", *mac(server, "dev"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", "-disable_confirm",
               path=".well-known/cmp/p/explicit")

    def revoked_at_start():
        server.stop()
        server.start()
        return "not confirm" in server.admin("audit", "list").out
    wait_for(revoked_at_start, 20, "the revocation")
    check_in("revoked", server.admin("cert", "list").out)


@with_server
def test_rejected_certificate_is_revoked_at_once(server, tmp):
    key = new_key(tmp, "dev")
    # A root that is not the CA's: the client does not accept the certificate, and says so in certConf.
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other",
                "-keyout", tmp / "other.key", "-out", tmp / "other.pem")
    done = server.cmp("ir", *mac(server, "dev"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", "-out_trusted",
                      tmp / "other.pem", check=False)
    assert done.returncode != 0
    check_in("revoked", server.admin("cert", "list").out)


@with_server
def test_cr_and_kur_with_a_signature(server, tmp):
    have = enrolled(server, tmp, "dev")
    new_key(tmp, "second")
    server.cmp("cr", *have, "-newkey", tmp / "second.key", "-subject", "/CN=dev", "-certout", tmp / "second.pem")
    verify(server, tmp / "second.pem")
    new_key(tmp, "next")
    server.cmp("kur", *have, "-newkey", tmp / "next.key", "-certout", tmp / "next.pem")
    verify(server, tmp / "next.pem")
    serials = {run_program("openssl", "x509", "-in", tmp / f"{name}.pem", "-noout", "-serial").out for name in ("dev", "second", "next")}
    check_equal(len(serials), 3)
    # The new one can be updated in turn.
    new_key(tmp, "last")
    server.cmp("kur", "-cert", tmp / "next.pem", "-key", tmp / "next.key", "-trusted", server.root, "-untrusted", server.issuing,
               "-newkey", tmp / "last.key", "-certout", tmp / "last.pem", "-implicit_confirm")


@with_server
def test_another_subject_is_refused_to_a_certificate(server, tmp):
    """bug class 8: a certificate asks for its own names only."""
    have = enrolled(server, tmp, "dev")
    for command in ("cr", "kur"):
        done = server.cmp(command, *have, "-newkey", new_key(tmp, "x"), "-subject", "/CN=somebody else", "-certout", tmp / "x.pem", check=False)
        assert done.returncode != 0 and not (tmp / "x.pem").exists(), done.err
        check_in("rejection", done.err + done.out, command)


@with_server
def test_p10cr(server, tmp):
    make_request(tmp, "/CN=p10")
    server.cmp("p10cr", *mac(server, "p10"), "-csr", tmp / "dev.der", "-certout", tmp / "p10.pem")
    verify(server, tmp / "p10.pem")


@with_server
def test_rr_revokes_what_it_names(server, tmp):
    have = enrolled(server, tmp, "dev")
    server.cmp("rr", *have, "-oldcert", tmp / "dev.pem", "-revreason", "1")
    check_in("keyCompromise", server.admin("cert", "list").out + server.admin("audit", "list").out)
    # bug classes 5 and 6: what is revoked asks for nothing any more.
    for command, more in {"kur": ["-newkey", new_key(tmp, "x"), "-certout", tmp / "x.pem"], "rr": ["-oldcert", tmp / "dev.pem"]}.items():
        done = server.cmp(command, *have, *more, check=False)
        assert done.returncode != 0, command
        check_in("certRevoked", done.err + done.out, command)


@with_server
def test_rr_of_anothers_certificate_is_refused(server, tmp):
    """bug class 7."""
    have = enrolled(server, tmp, "dev")
    enrolled(server, tmp, "other")
    done = server.cmp("rr", *have, "-oldcert", tmp / "other.pem", check=False)
    assert done.returncode != 0
    check_in("notAuthorized", done.err + done.out)
    done = server.cmp("rr", *mac(server, "mac"), "-oldcert", tmp / "other.pem", check=False)
    check_in("wrongIntegrity", done.err + done.out, "a MAC")
    assert "revoked" not in server.admin("cert", "list").out


@with_server
def test_genm(server, tmp):
    have = enrolled(server, tmp, "dev")
    for info in ("signKeyPairTypes", "encKeyPairTypes", "preferredSymmAlg", "caProtEncCert"):
        done = server.cmp("genm", *have, "-infotype", info)
        check_in("genp", (done.out + done.err).lower(), info)
    done = server.cmp("genm", *have, "-infotype", "currentCRL")
    check_in("genp", (done.out + done.err).lower())
    done = server.cmp("genm", *have, "-infotype", "keyPairParamReq", check=False)
    check_in("badDataFormat", done.out + done.err, "without the algorithm that it asks about")


@with_server
def test_polling_until_a_person_has_approved(server, tmp):
    key = new_key(tmp, "dev")
    waiting = subprocess.Popen(["openssl", "cmp", "-cmd", "ir", "-server", f"http://127.0.0.1:{server.cmp_port}/.well-known/cmp/p/manual",
                                "-recipient", "/CN=x", *[str(part) for part in mac(server, "dev", "--profile", "manual")], "-newkey", str(key), "-subject", "/CN=dev",
                                "-certout", str(tmp / "dev.pem"), "-total_timeout", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    listed = lambda: json.loads(server.admin("request", "list", "--json").out)  # noqa: E731
    wait_for(lambda: len(listed()) == 1, 20, "the request")
    # A restart changes nothing: what was begun goes on.
    server.stop()
    server.start()
    server.admin("request", "approve", str(listed()[0]["id"]))
    out, err = waiting.communicate(timeout=60)
    check_equal(waiting.returncode, 0, err.decode())
    verify(server, tmp / "dev.pem")


@with_server
def test_wrong_secrets_names_and_labels_are_refused(server, tmp):
    """bug classes 2 and 9."""
    key = new_key(tmp, "dev")
    ask = ["-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem"]
    secret = server.secret("dev")
    http = server.credential("http")
    for what, options in {"wrong": ["-ref", "dev", "-secret", "pass:wrong"], "unknown": ["-ref", "nobody", "-secret", f"pass:{secret}"],
                          "of HTTP": ["-ref", "http", "-secret", f"pass:{http}"], "empty": ["-ref", "dev", "-secret", "pass:"]}.items():
        done = server.cmp("ir", *options, *ask, "-unprotected_errors", check=False)
        assert done.returncode != 0 and not (tmp / "dev.pem").exists(), what
    done = server.cmp("ir", "-ref", "dev", "-secret", f"pass:{secret}", *ask, path=".well-known/cmp/p/closed", check=False)
    check_in("wrongIntegrity", done.err + done.out, "a label that allows nobody")
    done = server.cmp("ir", "-ref", "dev", "-secret", f"pass:{secret}", *ask, path=".well-known/cmp/p/none", check=False)
    check_in("404", done.err + done.out)
    assert not (tmp / "dev.pem").exists()
    server.cmp("ir", "-ref", "dev", "-secret", f"pass:{secret}", *ask)


@with_server
def test_unprotected_messages_are_refused(server, tmp):
    done = server.cmp("ir", "-unprotected_requests", "-newkey", new_key(tmp, "dev"), "-subject", "/CN=dev", "-certout", tmp / "dev.pem",
                      "-unprotected_errors", "-trusted", server.root, check=False)
    assert done.returncode != 0
    check_in("badMessageCheck", done.err + done.out)


@with_server
def test_possession_must_be_proved(server, tmp):
    """bug class 27: no proof, and raVerified from who is no registration authority."""
    key = new_key(tmp, "dev")
    for popo, failure in {"-1": "badPOP", "0": "notAuthorized"}.items():
        done = server.cmp("ir", *mac(server, f"dev{popo}"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", "-popo", popo,
                          check=False)
        assert done.returncode != 0
        check_in(failure, done.err + done.out, popo)


@with_server
def test_operations_and_legacy_paths(server, tmp):
    key = new_key(tmp, "dev")
    for number, path in enumerate([".well-known/cmp/initialization", "pkix/", "cmp", ".well-known/cmp/p/explicit/initialization"]):
        server.cmp("ir", *mac(server, f"dev{number}"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", path=path)
    done = server.cmp("ir", *mac(server, "wrong"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem",
                      path=".well-known/cmp/keyupdate", check=False)
    check_in("badRequest", done.err + done.out)


@with_server
def test_cmp_over_https(server, tmp):
    key = new_key(tmp, "dev")
    run_program("openssl", "cmp", "-cmd", "ir", "-server", f"https://127.0.0.1:{server.port}/.well-known/cmp", "-tls_used", "-tls_trusted",
                server.root, "-recipient", "/CN=x", *mac(server, "dev"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem")
    verify(server, tmp / "dev.pem")


@with_server
def test_http_around_it(server, tmp):
    """RFC 9811: paths, methods, media types; and octets that are no PKIMessage."""
    base = f"http://127.0.0.1:{server.cmp_port}"
    (tmp / "garbage").write_bytes(b"\x30\x03\x02\x01\x05")

    def ask(path, *options):
        return Reply.parse(run_program(need("curl"), "-sS", "-i", "--path-as-is", *options, base + path).stdout)
    post = ["-H", "Content-Type: application/pkixcmp", "--data-binary", f"@{tmp / 'garbage'}"]
    reply = ask("/.well-known/cmp", *post)
    check_equal(reply.status, 400)
    check_equal(reply.headers["content-type"], "application/pkixcmp")
    check_equal(ask("/.well-known/cmp").status, 405)
    check_equal(ask("/.well-known/cmp", "-H", "Content-Type: text/plain", "--data-binary", "x").status, 415)
    check_equal(ask("/.well-known/cmp", "-H", "Content-Type: application/pkixcmp", "-X", "POST").status, 400)
    check_equal(ask("/.well-known/cmp/p/none", *post).status, 404)
    check_equal(ask("/.well-known/cmp/nothing", *post).status, 404)
    check_equal(ask("/.well-known/est/cacerts").status, 404)
    check_equal(ask("/elsewhere", *post).status, 404)
    (tmp / "large").write_bytes(b"\x30" * (40 << 20))
    check_equal(ask("/.well-known/cmp", "-H", "Content-Type: application/pkixcmp", "--data-binary", f"@{tmp / 'large'}").status, 413)


@with_server
def test_the_same_message_gets_the_same_answer(server, tmp):
    """bug class 25: a lost reply is asked for again with the very same octets."""
    key = new_key(tmp, "dev")
    server.cmp("ir", *mac(server, "dev"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", "-implicit_confirm",
               "-reqout", tmp / "ir.der", "-rspout", tmp / "ip.der")
    again = run_program(need("curl"), "-sS", "-H", "Content-Type: application/pkixcmp", "--data-binary", f"@{tmp / 'ir.der'}",
                        f"http://127.0.0.1:{server.cmp_port}/.well-known/cmp").stdout
    check_equal(again, (tmp / "ip.der").read_bytes())
    server.stop()
    server.start()
    again = run_program(need("curl"), "-sS", "-H", "Content-Type: application/pkixcmp", "--data-binary", f"@{tmp / 'ir.der'}",
                        f"http://127.0.0.1:{server.cmp_port}/.well-known/cmp").stdout
    check_equal(again, (tmp / "ip.der").read_bytes())
    check_equal(server.admin("cert", "list").out.count("CN=dev"), 1)


@with_server
def test_answers_signed_by_the_ca_itself(server, tmp):
    server.stop()
    server.config.write_text(server.config.read_text().replace("[cmp]\n", '[cmp]\nsigner = "ca"\n'))
    server.start()
    have = enrolled(server, tmp, "dev")
    # A CA's own certificate says keyCertSign and cRLSign only, which clients that go by RFC 9483 3.2 do not accept.
    done = server.cmp("genm", *have, "-infotype", "signKeyPairTypes", check=False)
    assert done.returncode != 0
    server.cmp("genm", *have, "-infotype", "signKeyPairTypes", "-ignore_keyusage", "-extracertsout", tmp / "extra.pem")
    check_equal(run_program("openssl", "x509", "-in", tmp / "extra.pem", "-noout", "-subject").out,
                run_program("openssl", "x509", "-in", server.issuing, "-noout", "-subject").out)


run(globals())
