"""Our own client against our own server: a device's life over the network."""
import json
import os
import stat
import time

from harness import *  # noqa: F403


def fingerprint(server) -> str:
    return run_program("openssl", "x509", "-in", server.root, "-noout", "-fingerprint", "-sha256").out.strip().split("=")[1]


def enroll(server, out, name="dev1", *options, credential=(), check=True, password=None):
    password = password or server.credential(name, *credential)
    return run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--user", name, "--password-stdin", "--subject",
                       f"CN={name}", "--out", out, *options, stdin=password + "\n", check=check)


def verify(server, directory):
    run_program("openssl", "verify", "-x509_strict", "-CAfile", directory / "anchors.pem", "-untrusted", directory / "chain.pem",
                directory / "cert.pem")


def public_key(path) -> str:
    text = path.read_text()
    kind = ["pkey", "-pubout"] if "PRIVATE" in text else ["x509", "-noout", "-pubkey"]
    return run_program("openssl", *kind, stdin=text).out


def test_enroll_writes_a_whole_identity(server, tmp):
    done = enroll(server, tmp / "dev", "dev1")
    check_in("CN=dev1", done.out)
    verify(server, tmp / "dev")
    check_equal(stat.S_IMODE(os.stat(tmp / "dev/key.pem").st_mode), 0o600, "mode of the key")
    check_equal(public_key(tmp / "dev/key.pem"), public_key(tmp / "dev/cert.pem"))


def test_enroll_by_fingerprint(server, tmp):
    password = server.credential("fp")
    run_program(ESTUARY, "enroll", server.url, "--fingerprint", fingerprint(server), "--user", "fp", "--password-stdin", "--subject",
                "CN=fp", "--out", tmp / "dev", stdin=password)
    verify(server, tmp / "dev")


def test_wrong_fingerprint_is_not_trusted(server, tmp):
    password = server.credential("fp")
    done = run_program(ESTUARY, "enroll", server.url, "--fingerprint", "00" * 32, "--user", "fp", "--password-stdin", "--subject",
                       "CN=fp", "--out", tmp / "dev", stdin=password, check=False)
    check_equal(done.returncode, 4)
    check_in("fingerprint", done.err)
    assert not (tmp / "dev").exists()


def test_bootstrap_never_trusts_silently(server, tmp):
    done = run_program(ESTUARY, "cacerts", server.url, "--bootstrap", check=False, stdin="")
    check_equal(done.returncode, 4)
    check_in(fingerprint(server), done.err)
    check_equal(done.out, "")


def test_no_word_of_trust_is_an_error(server, tmp):
    done = run_program(ESTUARY, "cacerts", server.url, check=False)
    check_equal(done.returncode, 4)
    check_in("--fingerprint", done.err)


def test_foreign_anchor_is_refused(server, tmp):
    """The password is never sent to a server that is not proved (RFC 7030 3.6)."""
    make_request(tmp, "/CN=x")
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                tmp / "other.key", "-out", tmp / "other.pem", "-subj", "/CN=other CA", "-days", "2")
    password = server.credential("dev")
    done = run_program(ESTUARY, "enroll", server.url, "--trust", tmp / "other.pem", "--user", "dev", "--password-stdin", "--subject",
                       "CN=dev", "--out", tmp / "dev", stdin=password, check=False)
    check_equal(done.returncode, 4)


def test_cacerts_prints_chain(server, tmp):
    done = run_program(ESTUARY, "cacerts", server.url, "--trust", server.root)
    check_equal(done.out.count("BEGIN CERTIFICATE"), 2)
    check_in(fingerprint(server), done.out)


def test_csrattrs_prints(server, tmp):
    done = run_program(ESTUARY, "csrattrs", server.url, "--trust", server.root)
    assert done.out.strip()


def test_renew_needs_only_the_directory(server, tmp):
    enroll(server, tmp / "dev")
    before = (tmp / "dev/cert.pem").read_text()
    key = (tmp / "dev/key.pem").read_text()
    run_program(ESTUARY, "renew", tmp / "dev")
    after = (tmp / "dev/cert.pem").read_text()
    assert before != after
    check_equal((tmp / "dev/key.pem").read_text(), key, "the key stays")
    verify(server, tmp / "dev")


def test_renew_rekey(server, tmp):
    enroll(server, tmp / "dev")
    before = public_key(tmp / "dev/cert.pem")
    run_program(ESTUARY, "renew", tmp / "dev", "--rekey")
    check_equal(public_key(tmp / "dev/key.pem"), public_key(tmp / "dev/cert.pem"))
    assert public_key(tmp / "dev/cert.pem") != before
    verify(server, tmp / "dev")


def test_renew_if_due_does_nothing_early(server, tmp):
    enroll(server, tmp / "dev")
    before = (tmp / "dev/cert.pem").read_text()
    check_in("not due", run_program(ESTUARY, "renew", tmp / "dev", "--if-due").out)
    check_equal((tmp / "dev/cert.pem").read_text(), before)


def test_revoked_certificate_cannot_renew_also_after_restart(server, tmp):
    """bug classes 5 and 6."""
    enroll(server, tmp / "dev")
    serial = run_program("openssl", "x509", "-in", tmp / "dev/cert.pem", "-noout", "-serial").out.strip().split("=")[1]
    server.admin("cert", "revoke", serial, "--reason", "keyCompromise")
    done = run_program(ESTUARY, "renew", tmp / "dev", check=False)
    check_equal(done.returncode, 3)
    check_in("revoked", done.err)
    server.stop()
    server.start()
    check_equal(run_program(ESTUARY, "renew", tmp / "dev", check=False).returncode, 3)


def test_single_use_password_works_once(server, tmp):
    password = server.credential("once")
    enroll(server, tmp / "a", "once", password=password)
    done = enroll(server, tmp / "b", "once", password=password, check=False)
    check_equal(done.returncode, 3)
    assert not (tmp / "b/cert.pem").exists()


def test_credential_bound_to_names(server, tmp):
    """bug class 8: user A asks for B."""
    password = server.credential("bound", "--subject", "CN=bound", "--uses", "5")
    done = run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--user", "bound", "--password-stdin", "--subject",
                       "CN=another", "--out", tmp / "x", stdin=password, check=False)
    check_equal(done.returncode, 3)
    enroll(server, tmp / "dev", "bound", password=password)


def test_key_types(server, tmp):
    for kind in ("p256", "p384", "rsa3072", "ed25519"):
        enroll(server, tmp / kind, f"dev-{kind}", "--key-type", kind)
        verify(server, tmp / kind)


def test_own_key_and_own_request(server, tmp):
    make_request(tmp, "/CN=mine", name="mine")
    enroll(server, tmp / "a", "mine", "--key", tmp / "mine.key")
    check_equal(public_key(tmp / "mine.key"), public_key(tmp / "a/cert.pem"))
    password = server.credential("mine2")
    run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--user", "mine2", "--password-stdin", "--csr", tmp / "mine.der",
                "--key", tmp / "mine.key", "--out", tmp / "b", stdin=password)
    run_program(ESTUARY, "renew", tmp / "b")


def set_manual_approval(server):
    text = server.config.read_text()
    check_in("#manual_approval = true", text, "estuary.toml teaches manual_approval")
    server.config.write_text(text.replace("#manual_approval = true", "manual_approval = true", 1))
    server.reload()


def test_manual_approval_survives_restart_and_repeats(server, tmp):
    set_manual_approval(server)
    password = server.credential("slow")
    first = enroll(server, tmp / "dev", "slow", "--wait", "0", password=password, check=False)
    check_equal(first.returncode, 5)
    requests = json.loads(server.admin("request", "list", "--json").out)
    check_equal(len(requests), 1)
    check_in("CN=slow", server.admin("request", "show", requests[0]["id"]).out)
    server.stop()
    server.start()
    again = enroll(server, tmp / "dev", "slow", "--wait", "0", password=password, check=False)
    check_equal(again.returncode, 5)
    check_equal(len(json.loads(server.admin("request", "list", "--json").out)), 1, "the same request, not a second one")
    server.admin("request", "approve", requests[0]["id"])
    enroll(server, tmp / "dev", "slow", "--wait", "0", password=password)
    verify(server, tmp / "dev")


def test_denied_request(server, tmp):
    set_manual_approval(server)
    password = server.credential("no")
    check_equal(enroll(server, tmp / "dev", "no", "--wait", "0", password=password, check=False).returncode, 5)
    request = json.loads(server.admin("request", "list", "--json").out)[0]["id"]
    server.admin("request", "deny", request, "--reason", "unknown device")
    done = enroll(server, tmp / "dev", "no", "--wait", "0", password=password, check=False)
    check_equal(done.returncode, 3)
    check_in("unknown device", done.err)


def test_lost_reply_gets_the_same_certificate(server, tmp):
    """bug class 25: the same request again, another connection, a spent password."""
    der = make_request(tmp, "/CN=again")
    user = ["--user", "again:" + server.credential("again")]
    first = server.post("simpleenroll", der, *user)
    second = server.post("simpleenroll", der, *user)
    check_equal((first.status, second.status), (200, 200))
    check_equal(first.body, second.body)
    check_equal(len(json.loads(server.admin("cert", "list", "--json", "--subject", "CN=again").out)), 1)


def test_rollover_is_followed(server, tmp):
    """RFC 7030 4.1.3: after the rollover old devices renew, and learn the new root."""
    enroll(server, tmp / "dev")
    old_root = server.root.read_text()
    server.admin("ca", "rollover")
    server.reload()
    check_equal(run_program(ESTUARY, "cacerts", server.url, "--trust", tmp / "dev/anchors.pem").out.count("BEGIN CERTIFICATE") >= 4, True)
    run_program(ESTUARY, "renew", tmp / "dev")
    verify(server, tmp / "dev")
    assert server.root.read_text() != old_root
    check_in(server.root.read_text().strip(), (tmp / "dev/anchors.pem").read_text())
    run_program(ESTUARY, "renew", tmp / "dev", "--rekey")
    enroll(server, tmp / "new", "newdev")
    run_program("openssl", "verify", "-CAfile", server.root, "-untrusted", tmp / "new/chain.pem", tmp / "new/cert.pem")


def test_not_reachable(tmp):
    make_request(tmp, "/CN=x")
    run_program("openssl", "req", "-x509", "-key", tmp / "dev.key", "-out", tmp / "ca.pem", "-subj", "/CN=ca", "-days", "2")
    done = run_program(ESTUARY, "cacerts", f"https://127.0.0.1:{free_port()}", "--trust", tmp / "ca.pem", check=False)
    check_equal(done.returncode, 6)


def test_usage_errors(tmp):
    for words in (["enroll"], ["nothing"], ["enroll", "http://x", "--subject", "CN=a", "--out", str(tmp / "d")],
                  ["enroll", "https://x", "--out", str(tmp / "d")]):
        check_equal(run_program(ESTUARY, *words, check=False).returncode, 2, str(words))
    check_in("Examples", run_program(ESTUARY, "enroll", "--help").out)
    check_in("estuary", run_program(ESTUARY, "--version").out)


if __name__ == "__main__":
    run(globals())
