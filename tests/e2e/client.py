"""Our own client against our own server: a device's life over the network."""
import base64
import json
import os
import socket
import ssl
import stat
import subprocess
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
    published = run_program(ESTUARY, "cacerts", server.url, "--trust", tmp / "dev/anchors.pem").out
    assert published.count("BEGIN CERTIFICATE") >= 5, "NewWithNew, OldWithNew, NewWithOld, OldWithOld and the issuing CA"
    check_in(old_root.strip(), published, "OldWithOld")
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


# What our client does with servers that are not ours.


def strange_enroll(server, out, *options, trust=None, password="secret", **kwargs):
    """Enrollment as CN=dev at a StrangeServer; nothing is checked."""
    trust = trust or ["--trust", server.root]
    return run_program(ESTUARY, "enroll", server.url, *trust, "--user", "dev", "--password-stdin", "--subject", "CN=dev", "--out",
                       out, *options, stdin=password, check=False, **kwargs)


def check_linked(asked):
    """The request holds the tls-unique of the session that carried it (RFC 5929), as base64 in challengePassword."""
    check_equal(asked.challenge_password(), base64.b64encode(asked.tls_unique).decode(), "challengePassword")


def challenge(scheme, **fields):
    return 401, {"WWW-Authenticate": scheme, **fields}, b""


def test_ca_certificates_and_attributes_come_first(tmp):
    """RFC 7030 4.2 and 4.5; each of the three over one authenticated session."""
    strange = StrangeServer(tmp / "strange")
    check_equal(strange_enroll(strange, tmp / "dev").returncode, 0)
    check_equal(strange.paths(), [(1, "cacerts"), (1, "csrattrs"), (1, "simpleenroll")])
    check_equal((tmp / "dev/anchors.pem").read_text().count("BEGIN CERTIFICATE"), 1)


def test_bootstrap_only_fetches_the_ca_certificates(tmp):
    """RFC 7030 4.1.1: nothing else over a session that proves nothing; all else over a new one."""
    strange = StrangeServer(tmp / "strange")
    trust = ["--fingerprint", fingerprint(strange)]
    check_equal(strange_enroll(strange, tmp / "dev", trust=trust).returncode, 0)
    check_equal(strange.paths(), [(1, "cacerts"), (2, "cacerts"), (2, "csrattrs"), (2, "simpleenroll")])
    check_equal((tmp / "dev/anchors.pem").read_text().count("BEGIN CERTIFICATE"), 1, "what was confirmed is the anchor")
    check_equal(public_key(tmp / "dev/anchors.pem"), public_key(strange.root))


def test_bootstrap_gives_no_credentials(tmp):
    strange = StrangeServer(tmp / "strange", lambda asked: challenge("Basic realm=r"))
    done = strange_enroll(strange, tmp / "dev", trust=["--fingerprint", fingerprint(strange)])
    assert done.returncode != 0
    check_equal(strange.paths(), [(1, "cacerts")])
    assert "authorization" not in strange.asked[0].headers


def test_bootstrap_asks_a_person(server, tmp):
    for said, status, certificates in (("no", 4, 0), ("yes", 0, 2)):
        person, terminal = os.openpty()
        client = subprocess.Popen([ESTUARY, "cacerts", server.url, "--bootstrap"], stdin=terminal, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        os.write(person, f"{said}\n".encode())
        out, err = client.communicate(timeout=60)
        os.close(person)
        os.close(terminal)
        check_equal(client.returncode, status, said)
        check_in(fingerprint(server), err.decode())
        check_equal(out.count(b"BEGIN CERTIFICATE"), certificates, said)


def test_nothing_is_said_to_a_server_that_is_not_proved(tmp):
    """RFC 7030 3.3.1 and 3.6: neither a request nor a password, over TLS 1.2 as over 1.3."""
    other = StrangeServer(tmp / "other")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        strange = StrangeServer(tmp / f"strange{version}", tls_max=version)
        system = {**os.environ, "SSL_CERT_FILE": str(strange.root)}
        check_equal(strange_enroll(strange, tmp / "dev", trust=["--trust", other.root], env=system).returncode, 4, "another CA")
        misnamed = StrangeServer(tmp / f"misnamed{version}", ca=strange.ca, tls_max=version, host="DNS:other.example")
        for trust in (["--trust", strange.root], ["--system-trust"]):
            check_equal(strange_enroll(misnamed, tmp / "dev", trust=trust, env=system).returncode, 4, "another name")
        check_equal((strange.asked, misnamed.asked), ([], []))
        check_equal(strange_enroll(strange, tmp / f"dev{version}", trust=["--system-trust"], env=system).returncode, 0)


def test_requests_are_linked_to_their_sessions(tmp):
    """RFC 7030 3.5: tls-unique on TLS 1.2 as somebody else computes it, whatever trust was established by."""
    strange = StrangeServer(tmp / "strange")
    system = {**os.environ, "SSL_CERT_FILE": str(strange.root)}
    check_equal(strange_enroll(strange, tmp / "dev").returncode, 0)
    run_program(ESTUARY, "renew", tmp / "dev")
    check_equal(strange_enroll(strange, tmp / "system", trust=["--system-trust"], env=system).returncode, 0)
    check_equal([asked.operation for asked in strange.posts()], ["simpleenroll", "simplereenroll", "simpleenroll"])
    for asked in strange.posts():
        check_linked(asked)
    check_equal([asked.client_certificate is not None for asked in strange.posts()], [False, True, False], "renewal by certificate")
    check_equal(strange_enroll(strange, tmp / "unlinked", "--no-linking").returncode, 0)
    check_equal(strange.posts()[-1].challenge_password(), None)


def test_required_linking_is_met(server, tmp):
    """RFC 9266: tls-exporter on TLS 1.3, as our server checks it."""
    server.config.write_text(server.config.read_text().replace('profile = "device"\n', 'profile = "device"\nlinking_required = true\n', 1))
    server.reload()
    enroll(server, tmp / "dev", "dev", "--no-linking")   # what the server demands goes before
    run_program(ESTUARY, "renew", tmp / "dev")
    reply = server.post("simpleenroll", make_request(tmp, "/CN=unlinked"), "--user", f"unlinked:{server.credential('unlinked')}")
    assert reply.status in (400, 403), reply
    check_in("linked", reply.body)


def test_redirect_within_the_origin_is_followed(tmp):
    """RFC 7030 3.2.1: without asking, and the request is made again for the new session, with the same key."""
    moved = lambda asked: None if "/moved/" in asked.path else (307, {"Location": f"{WELL_KNOWN}/moved/{asked.operation}"}, b"")
    strange = StrangeServer(tmp / "strange", lambda asked: moved(asked) if asked.method == "POST" else None)
    check_equal(strange_enroll(strange, tmp / "dev").returncode, 0)
    first, second = strange.posts()
    assert "/moved/" not in first.path and "/moved/" in second.path, strange.asked
    assert first.connection != second.connection
    for asked in (first, second):
        check_linked(asked)
    check_equal(first.public_key(), second.public_key())
    everything = StrangeServer(tmp / "everything", moved)
    check_equal(strange_enroll(everything, tmp / "other").returncode, 0)
    circle = StrangeServer(tmp / "circle", lambda asked: (302, {"Location": asked.path}, b""))
    check_equal(strange_enroll(circle, tmp / "never").returncode, 3)
    assert len(circle.asked) < 10


def test_redirect_to_another_origin_is_left_to_the_person(tmp):
    """RFC 7030 3.2.1: the person is told where to, and decides."""
    other = StrangeServer(tmp / "other")
    elsewhere = lambda asked: (307, {"Location": f"{other.url}{asked.path}"}, b"")
    for number, redirect in enumerate((elsewhere, lambda asked: elsewhere(asked) if asked.method == "POST" else None)):
        strange = StrangeServer(tmp / f"strange{number}", redirect, ca=other.ca)
        done = strange_enroll(strange, tmp / "dev")
        check_equal(done.returncode, 3)
        check_in(other.url, done.err)
        assert not (tmp / "dev/cert.pem").exists()
    plain = StrangeServer(tmp / "plain", lambda asked: (302, {"Location": f"http://127.0.0.1:1{asked.path}"}, b""))
    check_equal(strange_enroll(plain, tmp / "dev").returncode, 4)
    check_equal(other.asked, [])


def test_waits_as_long_as_told_and_sends_the_same_request(tmp):
    """RFC 7030 4.2.3, over a new connection, since the server closes each."""
    later = [(202, {"Retry-After": "2", "Connection": "close"}, b"")] * 2
    strange = StrangeServer(tmp / "strange", lambda asked: later.pop() if asked.method == "POST" and later else None)
    done = strange_enroll(strange, tmp / "dev")
    check_equal(done.returncode, 0)
    check_in("waits for approval", done.err)
    first, second, third = strange.posts()
    assert second.at - first.at >= 2 and third.at - second.at >= 2, (first.at, second.at, third.at)
    check_equal(len({asked.connection for asked in strange.posts()}), 3)
    check_equal({asked.body for asked in strange.posts()}, {first.body}, "the same request")
    # A wait that is longer than ours: the request is kept, and sent again by the next run.
    later.append((202, {"Retry-After": "1000"}, b""))
    check_equal(strange_enroll(strange, tmp / "kept", "--wait", "5s").returncode, 5)
    check_equal(strange_enroll(strange, tmp / "kept").returncode, 0)
    check_equal(strange.posts()[-1].body, strange.posts()[-2].body)


def test_connection_closed_behind_the_challenge(tmp):
    """A server may close with its 401: the next session gets a request of its own."""
    def answer(asked):
        if asked.method == "POST" and "authorization" not in asked.headers:
            return challenge("Basic realm=r", Connection="close")
        return None
    strange = StrangeServer(tmp / "strange", answer)
    done = strange_enroll(strange, tmp / "dev")
    check_equal(done.returncode, 0, done.err)
    first, second = strange.posts()
    check_equal(second.headers["authorization"], "Basic " + base64.b64encode(b"dev:secret").decode())
    for asked in (first, second):
        check_linked(asked)
    stubborn = StrangeServer(tmp / "stubborn", lambda asked: challenge("Basic realm=r", Connection="close"))
    check_equal(strange_enroll(stubborn, tmp / "never").returncode, 3)
    check_equal(len(stubborn.asked), 2, "the password is given once")


def test_unknown_challenge_ends_the_connection(tmp):
    """RFC 7030 3.2.3."""
    strange = StrangeServer(tmp / "strange", lambda asked: challenge("Negotiate"))
    check_equal(strange_enroll(strange, tmp / "dev").returncode, 3)
    wait_for(lambda: strange.ended == [1], what="the end of the connection")
    check_equal(len(strange.asked), 1)


def test_unheard_answer_is_asked_for_again(tmp):
    """Bug class 25 from the client's side: the same request, in case that it was answered; a new one where it was not."""
    said = ["drop"]
    strange = StrangeServer(tmp / "strange", lambda asked: said.pop(0) if asked.method == "POST" and said else None)
    check_equal(strange_enroll(strange, tmp / "dev").returncode, 0)
    first, second = strange.posts()
    check_equal(first.body, second.body)
    said += ["drop", (400, {}, b"linked to another session")]
    check_equal(strange_enroll(strange, tmp / "other").returncode, 0)
    first, second, third = strange.posts()[-3:]
    check_equal(first.body, second.body)
    check_linked(third)
    said.append((503, {"Retry-After": "1", "Connection": "close"}, b"busy"))
    check_equal(strange_enroll(strange, tmp / "busy").returncode, 0)
    check_linked(strange.posts()[-1])


def test_offers_only_strong_tls(tmp):
    """RFC 7030 3.2.3, 3.3 and 6: the client's first words on the wire. No version before 1.2, and nothing but AEAD suites with
    forward secrecy."""
    make_request(tmp, "/CN=x")
    run_program("openssl", "req", "-x509", "-key", tmp / "dev.key", "-out", tmp / "ca.pem", "-subj", "/CN=ca", "-days", "2")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = subprocess.Popen([ESTUARY, "cacerts", f"https://127.0.0.1:{listener.getsockname()[1]}", "--trust", tmp / "ca.pem"],
                                  stderr=subprocess.DEVNULL)
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            head = stream.read(5)
            hello = stream.read(int.from_bytes(head[3:], "big"))
        client.wait(timeout=30)
    at = 4 + 2 + 32
    at += 1 + hello[at]                                                    # session id
    size = int.from_bytes(hello[at:at + 2], "big")
    suites = {int.from_bytes(hello[i:i + 2], "big") for i in range(at + 2, at + 2 + size, 2)}
    at += 2 + size
    at += 1 + hello[at] + 2                                                # compression methods
    extensions = {}
    while at < len(hello):
        kind, length = int.from_bytes(hello[at:at + 2], "big"), int.from_bytes(hello[at + 2:at + 4], "big")
        extensions[kind] = hello[at + 4:at + 4 + length]
        at += 4 + length
    signalling = {0x00FF}                                                  # TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746)
    strong = {0x1301, 0x1302, 0x1303, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9}
    check_equal(suites - signalling - strong, set(), "weak suites")
    assert suites & {0x1301, 0x1302, 0x1303} and suites & {0xC02B, 0xC02F}, suites
    check_equal(extensions[43], bytes([4, 3, 4, 3, 3]), "TLS 1.3 and 1.2")
    assert 0x00FF in suites or 0xFF01 in extensions, "secure renegotiation is signalled"


def test_certificate_of_a_manufacturer(server, tmp):
    """RFC 7030 3.3.2: a certificate that a third party issued lets the device in."""
    maker = StrangeServer(tmp / "maker")
    maker._issue(make_request(tmp, "/serialNumber=1234", name="idevid"), "extendedKeyUsage=clientAuth", "idevid.pem")
    text = server.config.read_text().replace('"basic", "certificate"]', '"basic", "certificate", "manufacturer:acme"]', 1)
    server.config.write_text(text + f'\n[manufacturer.acme]\nanchors = "{maker.root}"\n')
    server.reload()
    identity = ["--cert", maker.dir / "idevid.pem", "--cert-key", tmp / "idevid.key"]
    run_program(ESTUARY, "enroll", server.url, "--trust", server.root, *identity, "--subject", "serialNumber=1234", "--out", tmp / "dev")
    verify(server, tmp / "dev")
    run_program(ESTUARY, "renew", tmp / "dev")
    stranger = StrangeServer(tmp / "stranger")
    stranger._issue((tmp / "idevid.der").read_bytes(), "extendedKeyUsage=clientAuth", "idevid.pem")
    done = run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--cert", stranger.dir / "idevid.pem", "--cert-key",
                       tmp / "idevid.key", "--subject", "serialNumber=1234", "--out", tmp / "x", check=False)
    check_equal(done.returncode, 3)


def test_key_that_the_certificate_does_not_let_sign(server, tmp):
    """RFC 7030 4.2.1: the request is signed all the same, since the key can."""
    text = server.config.read_text()
    server.config.write_text(text.replace('key_usage = ["digitalSignature"]', 'key_usage = ["keyEncipherment"]', 1))
    server.reload()
    enroll(server, tmp / "dev", "dev", "--key-type", "rsa2048")
    shown = certificate_text(tmp / "dev/cert.pem")
    check_in("Key Encipherment", shown)
    assert "Digital Signature" not in shown


def test_linking_by_attribute(tmp):
    """RFC 7894 section 4: where the server lists estIdentityLinking, challengePassword is left out."""
    both = bytes.fromhex("301806092a864886f70d010907060b2a864886f70d010910023a")
    listed = lambda asked: (200, {"Content-Type": "application/csrattrs"}, base64.encodebytes(both)) if asked.operation == "csrattrs" else None
    strange = StrangeServer(tmp / "strange", listed)
    check_equal(strange_enroll(strange, tmp / "dev").returncode, 0)
    run_program(ESTUARY, "renew", tmp / "dev")
    for asked in strange.posts():
        check_equal(asked.challenge_password(), None)
        text = run_program("openssl", "asn1parse", "-inform", "DER", stdin=base64.b64decode(asked.body)).out
        after = text.partition(":1.2.840.113549.1.9.16.2.58")[2] or text.partition("estIdentityLinking")[2]
        check_in(base64.b64encode(asked.tls_unique).decode(), after)


def test_renegotiation_is_refused(tmp):
    """RFC 7030 3.5: tls-unique is that of the one handshake of a session."""
    strange = StrangeServer(tmp / "strange")
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", strange.dir / "server.pem", "-key",
                               strange.dir / "server.key", "-tls1_2", "-msg"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    shown = b""
    try:
        while b"ACCEPT" not in shown:
            shown += server.stdout.read1()
        client = subprocess.Popen([ESTUARY, "cacerts", f"https://127.0.0.1:{port}", "--trust", strange.root],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while b"GET /.well-known" not in shown:
            shown += server.stdout.read1()
        server.stdin.write(b"r\n")
        server.stdin.flush()
        client.communicate(timeout=60)
        check_equal(client.returncode, 6)
    finally:
        server.kill()
        shown += server.communicate()[0]
    check_in(b"no_renegotiation", shown)


if __name__ == "__main__":
    run(globals())
