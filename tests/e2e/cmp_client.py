"""CMP from the client's side: estuary cmp, and --protocol cmp of enroll, renew and revoke, before OpenSSL's server and our own."""
import itertools
import json
import os
import subprocess

from harness_cmp import *  # noqa: F403


def same_key(directory):
    """The certificate of a directory is its key's."""
    certified = run_program("openssl", "x509", "-in", directory / "cert.pem", "-noout", "-pubkey").out
    check_equal(run_program("openssl", "pkey", "-in", directory / "key.pem", "-pubout").out, certified)
    return certified


class Mock:
    """`openssl cmp -port`: a server that gives the certificate that it was started with, whatever is asked for."""

    def __init__(self, tmp):
        self.tmp, self.process = tmp, None
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
        for root in ("root", "stranger"):
            run_program("openssl", "req", "-x509", *ec, tmp / f"{root}.key", "-subj", f"/CN={root}", "-days", "30", "-out", tmp / f"{root}.pem",
                        "-addext", "keyUsage=critical,keyCertSign")
        ends = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        for name, root, extensions in (("server", "root", "extendedKeyUsage=cmcCA\n"), ("plain", "root", ""), ("false", "stranger", "extendedKeyUsage=cmcCA\n"),
                                       ("dev", "root", "")):
            run_program("openssl", "req", *ec, tmp / f"{name}.key", "-subj", f"/CN={name}", "-out", tmp / f"{name}.csr")
            (tmp / "ext").write_text("keyUsage=critical,digitalSignature\n" + extensions.replace("cmcCA", "1.3.6.1.5.5.7.3.27") + ends)
            run_program("openssl", "x509", "-req", "-in", tmp / f"{name}.csr", "-CA", tmp / f"{root}.pem", "-CAkey", tmp / f"{root}.key", "-days", "30",
                        "-extfile", tmp / "ext", "-out", tmp / f"{name}.pem")
        (tmp / "pw").write_text("secret\n")
        self.by_mac = ["--user", "dev", "--password-file", tmp / "pw"]
        self.by_signature = ["--cert", tmp / "dev.pem", "--cert-key", tmp / "dev.key", "--trust", tmp / "root.pem"]
        self.ask = ["--subject", "CN=dev", "--key", tmp / "dev.key"]

    def start(self, *options, signer="server"):
        """By MAC if a secret is among the options, otherwise by the signer's certificate."""
        self.stop()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/pkix/"
        if "-srv_secret" not in options:
            options = ("-srv_cert", self.tmp / f"{signer}.pem", "-srv_key", self.tmp / f"{signer}.key", "-srv_trusted", self.tmp / "root.pem", *options)
        self.log = open(self.tmp / "mock.log", "wb")
        self.process = subprocess.Popen(["openssl", "cmp", "-port", str(port), "-verbosity", "8", "-rsp_cert", str(self.tmp / "dev.pem"),
                                         *[str(option) for option in options]], stdout=self.log, stderr=self.log)
        wait_for(lambda: b"ACCEPT" in (self.tmp / "mock.log").read_bytes(), 20, "openssl's server")
        return self.url

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def said(self):
        return (self.tmp / "mock.log").read_text(errors="replace")


def with_mock(test):
    def run_it(tmp):
        mock = Mock(tmp)
        try:
            test(mock, tmp)
        except Exception:
            print("-- openssl's server --\n" + (mock.said()[-3000:] if mock.process else ""))
            raise
        finally:
            mock.stop()
    run_it.__doc__ = test.__doc__
    return run_it


# -- before OpenSSL's server --------------------------------------------------------------------------------------------------------
@with_mock
def test_openssl_every_request_with_a_mac(mock, tmp):
    url = mock.start("-srv_ref", "dev", "-srv_secret", "pass:secret")
    estuary("cmp", "ir", url, *mock.by_mac, *mock.ask, "--trust", tmp / "root.pem", "--out", tmp / "ir")
    check_in("received CERTCONF", mock.said(), "implicit confirmation was not granted")
    estuary("cmp", "p10cr", url, *mock.by_mac, "--csr", tmp / "dev.csr", "--key", tmp / "dev.key", "--trust", tmp / "root.pem", "--out", tmp / "p10")
    check_in("received P10CR", mock.said())
    (tmp / "pw").write_text("another\n")
    estuary("cmp", "ir", url, *mock.by_mac, *mock.ask, "--out", tmp / "wrong", status=NOT_TRUSTED)
    assert not (tmp / "wrong").exists()


@with_mock
def test_openssl_every_request_with_a_signature(mock, tmp):
    url = mock.start()
    for command in ("ir", "cr"):
        estuary("cmp", command, url, *mock.by_signature, *mock.ask, "--out", tmp / command)
        same_key_as = run_program("openssl", "x509", "-in", tmp / command / "cert.pem", "-noout", "-serial").out
        check_equal(same_key_as, run_program("openssl", "x509", "-in", tmp / "dev.pem", "-noout", "-serial").out)
    estuary("cmp", "kur", tmp / "cr", "--same-key")
    estuary("cmp", "p10cr", url, *mock.by_signature, "--csr", tmp / "dev.csr", "--key", tmp / "dev.key", "--out", tmp / "p10")
    check_in("revoked", estuary("cmp", "rr", "--dir", tmp / "cr", "--reason", "keyCompromise").out)
    # It gives back what it was asked, without values.
    check_in("nothing to tell", estuary("cmp", "genm", url, "signkeytypes", *mock.by_signature).err)
    for body in ("IR", "CR", "KUR", "P10CR", "RR", "GENM"):
        check_in(f"received {body}\n", mock.said())


@with_mock
def test_openssl_confirmation(mock, tmp):
    url = mock.start("-grant_implicitconf")
    estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "implicit")
    assert "CERTCONF" not in mock.said(), mock.said()
    estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "explicit", "--confirm")
    check_in("received CERTCONF", mock.said())


@with_mock
def test_openssl_polling(mock, tmp):
    url = mock.start("-poll_count", "2", "-check_after", "1")
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out")
    check_in("waits for approval", done.err)
    # Later versions let the confirmation wait as well, by error with status waiting.
    confirmation_waits = "sending ERROR" in mock.said()
    check_equal(mock.said().count("received POLLREQ"), 4 if confirmation_waits else 2)
    # Given up, and gone on with by another process: openssl's server knows the transaction by its identifier.
    url = mock.start("-poll_count", "2", "-check_after", "1")
    command = ["cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "later"]
    estuary(*command, "--wait", "0", status=PENDING)
    assert (tmp / "later/pending/request.der").exists() and not (tmp / "later/cert.pem").exists()


@with_mock
def test_openssl_refuses(mock, tmp):
    url = mock.start("-send_error")
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", status=REFUSED)
    check_in("refused by the authority", done.err)
    url = mock.start("-pkistatus", "2", "-failure", "1", "-statusstring", "not today")
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", status=REFUSED)
    check_in("not today", done.err)
    check_in("badMessageCheck", done.err)
    estuary("cmp", "rr", url, *mock.by_signature, status=REFUSED)
    assert not (tmp / "out").exists()


@with_mock
def test_openssl_unprotected_answers_are_not_believed(mock, tmp):
    """bug class 27."""
    url = mock.start("-send_unprotected")
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", status=NOT_TRUSTED)
    check_in("not protected", done.err)
    estuary("cmp", "rr", url, *mock.by_signature, status=NOT_TRUSTED)
    url = mock.start("-send_error", "-send_unprot_err")
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", status=NOT_TRUSTED)
    check_in("anybody may have sent it", done.err)
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", "--unprotected-errors", status=REFUSED)
    check_in("anybody may have said this", done.err)
    assert not (tmp / "out").exists()


@with_mock
def test_openssl_signers_must_be_trusted(mock, tmp):
    """bug classes 2 and 27: a path to the anchor, and the right to speak for the authority."""
    url = mock.start(signer="false")
    estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", status=NOT_TRUSTED)
    url = mock.start(signer="plain")
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", status=NOT_TRUSTED)
    check_in("id-kp-cmcCA", done.err)
    assert not (tmp / "out").exists()
    estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "out", "--expect-sender", "CN=plain")
    url = mock.start()
    done = estuary("cmp", "cr", url, *mock.by_signature, *mock.ask, "--out", tmp / "other", "--expect-sender", "CN=plain", status=NOT_TRUSTED)
    check_in("CN=plain as expected", done.err)


@with_mock
def test_openssl_a_certificate_that_is_not_wanted_is_rejected(mock, tmp):
    url = mock.start()
    # Of another key than the one that was made here.
    done = estuary("cmp", "cr", url, *mock.by_signature, "--subject", "CN=dev", "--out", tmp / "out", status=NOT_TRUSTED)
    check_in("of another key", done.err)
    check_in("received CERTCONF", mock.said())
    # By somebody without a path to the anchor.
    url = mock.start("-srv_ref", "dev", "-srv_secret", "pass:secret")
    estuary("cmp", "ir", url, *mock.by_mac, *mock.ask, "--trust", tmp / "stranger.pem", "--out", tmp / "out", status=NOT_TRUSTED)
    check_in("received CERTCONF", mock.said())
    assert not (tmp / "out").exists()


# -- before our own -----------------------------------------------------------------------------------------------------------------
@with_server
def test_enroll_renew_and_revoke(server, tmp):
    url, dev = url_of(server), tmp / "dev"
    # caPubs after a MAC: nothing but the secret is needed.
    estuary("enroll", url, "--protocol", "cmp", *login(server, tmp, "dev"), "--subject", "CN=dev", "--out", dev)
    verify(server, dev / "cert.pem")
    check_equal((dev / "anchors.pem").read_text(), server.root.read_text())
    check_equal(dev.stat().st_mode & 0o077, 0, "nobody else changes the anchors")
    first, key = (dev / "cert.pem").read_text(), same_key(dev)
    check_in("not due", estuary("renew", dev, "--if-due").out)
    estuary("renew", dev)
    assert (dev / "cert.pem").read_text() != first
    check_equal(same_key(dev), key, "without --rekey the key stays")
    estuary("renew", dev, "--rekey")
    assert same_key(dev) != key
    estuary("renew", dev, "--key-type", "p384")
    check_in("secp384r1", certificate_text(dev / "cert.pem"))
    estuary("renew", dev, "--protocol", "est", status=USAGE)
    check_in("revoked", estuary("revoke", dev, "--reason", "superseded").out)
    check_in("superseded", server.admin("audit", "list").out)
    # bug classes 5 and 6
    check_in("certRevoked", estuary("renew", dev, status=REFUSED).err)
    check_in("certRevoked", estuary("revoke", dev, status=REFUSED).err)


@with_server
def test_enroll_by_a_request_that_is_there(server, tmp):
    make_request(tmp, "/CN=dev")
    estuary("enroll", url_of(server), "--protocol", "cmp", *login(server, tmp, "dev"), "--csr", tmp / "dev.der", "--key", tmp / "dev.key", "--trust", server.root,
            "--out", tmp / "out")
    verify(server, tmp / "out/cert.pem")
    # The key is where it was, and found again.
    assert not (tmp / "out/key.pem").exists()
    estuary("renew", tmp / "out")
    assert not (tmp / "out/key.pem").exists()
    verify(server, tmp / "out/cert.pem")


@with_server
def test_what_came_by_est_goes_on_by_cmp(server, tmp):
    """Names, keys and anchors are one directory, whatever brought them; but a label of CMP updates what came under it."""
    (tmp / "pw").write_text(server.credential("dev"))
    os.chmod(tmp / "pw", 0o600)
    estuary("enroll", server.url, "--trust", server.root, "--user", "dev", "--password-file", tmp / "pw", "--subject", "CN=dev", "--out", tmp / "dev")
    check_in("EST", estuary("revoke", tmp / "dev", status=USAGE).err)
    check_in("--url", estuary("renew", tmp / "dev", "--protocol", "cmp", status=USAGE).err)
    done = estuary("renew", tmp / "dev", "--protocol", "cmp", "--url", url_of(server), status=REFUSED)
    check_in("notAuthorized", done.err)
    check_in("notAuthorized", estuary("revoke", tmp / "dev", "--protocol", "cmp", "--url", url_of(server), status=REFUSED).err)
    estuary("renew", tmp / "dev")


@with_server
def test_a_label_is_kept(server, tmp):
    """The name that it was enrolled under is where it is updated; bug class 9."""
    estuary("cmp", "ir", url_of(server), "--name", "explicit", *login(server, tmp, "dev"), "--subject", "CN=dev", "--trust", server.root, "--out", tmp / "dev")
    check_in("/.well-known/cmp/p/explicit", (tmp / "dev/current/enrollment.json").read_text())
    estuary("cmp", "kur", tmp / "dev")
    estuary("renew", tmp / "dev")
    estuary("cmp", "rr", "--dir", tmp / "dev")
    check_equal(server.log().count("label=cmp:explicit"), 3)


@with_server
def test_waiting_outlives_the_client(server, tmp):
    dev, who = tmp / "dev", login(server, tmp, "dev", "--profile", "manual")
    command = ["enroll", url_of(server), "--protocol", "cmp", "--label", "manual", *who, "--subject", "CN=dev", "--trust", server.root, "--out", dev]
    done = estuary(*command, "--wait", "0", status=PENDING)
    check_in("run the same command again", done.err)
    listed = lambda: json.loads(server.admin("request", "list", "--json").out)  # noqa: E731
    check_equal(len(listed()), 1)
    secret = (tmp / "dev.pw").read_bytes().strip()
    for file in (dev / "pending").iterdir():
        check_equal(file.stat().st_mode & 0o077, 0, file)
        assert secret not in file.read_bytes(), file   # bug class 12
    estuary(*command, "--wait", "0", status=PENDING)
    check_equal(len(listed()), 1, "the same request, not another one")
    # Killed while it waits; the server comes and goes, too.
    waiting = subprocess.Popen([ESTUARY, *[str(part) for part in command]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    waiting.stderr.readline()
    waiting.kill()
    waiting.wait()
    server.stop()
    server.start()
    server.admin("request", "approve", str(listed()[0]["id"]))
    check_in("Asking again", estuary(*command).err)
    verify(server, dev / "cert.pem")
    same_key(dev)
    assert not (dev / "pending").exists()
    check_equal(server.admin("cert", "list").out.count("CN=dev"), 1)


@with_server
def test_a_refused_request_is_not_kept(server, tmp):
    dev, who = tmp / "dev", login(server, tmp, "dev", "--profile", "manual", "--uses", "5")
    command = ["cmp", "ir", url_of(server), "--name", "manual", *who, "--subject", "CN=dev", "--trust", server.root, "--out", dev]
    estuary(*command, "--wait", "0", status=PENDING)
    server.admin("request", "deny", str(json.loads(server.admin("request", "list", "--json").out)[0]["id"]))
    estuary(*command, status=REFUSED)
    assert not (dev / "pending").exists()
    estuary(*command, "--wait", "0", status=PENDING)
    check_equal(len(json.loads(server.admin("request", "list", "--json").out)), 1, "a new request")


def open_profile(server):
    server.stop()
    text = server.config.read_text().replace('[cmp.label.default]\nprofile = "device"', '[cmp.label.default]\nprofile = "device"\nmore_profiles = ["open"]\ngenerate_keys = true')
    server.config.write_text(text + """
[profile.open]
ca = "issuing"
key_types = ["p256", "rsa2048", "x25519"]
key_usage = ["digitalSignature", "keyEncipherment", "keyAgreement"]
[profile.open.subject]
allowed = ["CN"]
""")
    server.start()


@with_server
def test_possession_by_decryption(server, tmp):
    """encrCert and challenge, also of keys that cannot sign."""
    open_profile(server)
    for key_type, way in itertools.product(["rsa2048", "x25519"], ["encrypted", "challenge"]):
        name, options = f"{key_type}-{way}", ["--key-type", key_type, f"--{way}"]
        who = login(server, tmp, name, "--profile", "open")
        estuary("cmp", "ir", url_of(server), *who, "--profile", "open", "--subject", f"CN={name}", "--trust", server.root, "--out", tmp / name, *options)
        verify(server, tmp / name / "cert.pem")
        same_key(tmp / name)


def prove_by_agreement(server, key_type):
    """The default label takes proofs by key agreement, with an agreement key of this type; keys that agree are for a profile of their own."""
    server.stop()
    text = server.config.read_text().replace("[cmp]\n", f'[cmp]\nagreement_key_type = "{key_type}"\n')
    server.config.write_text(text.replace('[cmp.label.default]\n', '[cmp.label.default]\nmore_profiles = ["agree"]\nagreement_proof = true\n') + """
[profile.agree]
ca = "issuing"
key_types = ["p256", "x25519"]
key_usage = ["keyAgreement"]
[profile.agree.subject]
allowed = ["CN"]
""")
    server.admin("check")
    server.start()
    own = run_program("openssl", "x509", "-in", server.dir / "cmp/issuing-dh.pem", "-noout", "-text").out
    check_in("Key Agreement", own)
    assert "Digital Signature" not in own and "encipherment" not in own.lower(), own


def possession_by_agreement(server, tmp, key_type, other_type):
    """agreeMAC (RFC 9810 5.2.8.3): the client asks for the certificate of the agreement key, and needs one exchange more."""
    prove_by_agreement(server, key_type)
    who = [*login(server, tmp, "agrees", "--uses", "9", "--profile", "agree"), "--profile", "agree", "--trust", server.root, "--agreement-proof"]
    estuary("cmp", "ir", url_of(server), *who, "--subject", "CN=agrees", "--out", tmp / "agrees")   # the type is the authority's
    verify(server, tmp / "agrees/cert.pem")
    same_key(tmp / "agrees")
    check_in("Key Agreement", run_program("openssl", "x509", "-in", tmp / "agrees/cert.pem", "-noout", "-ext", "keyUsage").out)
    check_in("X25519" if key_type == "x25519" else "prime256v1", run_program("openssl", "x509", "-in", tmp / "agrees/cert.pem", "-noout", "-text").out)
    # A key of another type is not even sent, and a certificate that is nobody's we know is not agreed with.
    done = estuary("cmp", "ir", url_of(server), *who, "--subject", "CN=other", "--key-type", other_type, "--out", tmp / "other", status=USAGE)
    check_in(f"the authority's agreement key is of type {key_type}", done.err)
    stranger = tmp / "stranger.pem"
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp / "stranger.key", "-subj",
                "/CN=stranger", "-out", stranger)
    done = estuary("cmp", "ir", url_of(server), *[stranger if option == server.root else option for option in who], "--subject", "CN=other",
                   "--out", tmp / "other", status=NOT_TRUSTED)
    check_in("certificate of the authority's agreement key", done.err)
    # Several at once, by one question.
    server.stop()
    server.config.write_text(server.config.read_text().replace("agreement_proof = true\n", "agreement_proof = true\nrequests_max = 2\n"))
    server.start()
    estuary("cmp", "cr", url_of(server), *who, "--subject", "CN=one", "--subject", "CN=two", "--out", tmp / "one", "--out", tmp / "two")
    assert same_key(tmp / "one") != same_key(tmp / "two")
    # Where the label does not take it, it is told.
    done = estuary("cmp", "ir", url_of(server), "--name", "explicit", *[option for option in who if option not in ("--profile", "agree")],
                   "--subject", "CN=other", "--out", tmp / "other", status=REFUSED)
    check_in("is not taken there", done.err)


@with_server
def test_possession_by_agreement_x25519(server, tmp):
    possession_by_agreement(server, tmp, "x25519", "p256")


@with_server
def test_possession_by_agreement_p256(server, tmp):
    possession_by_agreement(server, tmp, "p256", "x25519")


def bouncy_castle(tmp):
    jars = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcprov", "bcutil", "bcpkix")]
    javac, java = need("javac"), need("java")
    if not all(jar.exists() for jar in jars):
        raise Skip("Bouncy Castle is not installed (scripts/setup does it)")
    classes = os.pathsep.join(map(str, [tmp / "classes", *jars]))
    run_program(javac, "-cp", classes, "-d", tmp / "classes", Path(__file__).parent / "java/AgreementPeer.java")
    return lambda *command: run_program(java, "-cp", classes, "AgreementPeer", *command).out


def agreement_by_bouncy_castle(server, tmp, key_type):
    """agreeMAC of other people's making, and where keys are on a curve of NIST's a PKCS #10 by static ECDH (RFC 6955)."""
    peer = bouncy_castle(tmp)
    prove_by_agreement(server, key_type)
    # The only profile: Bouncy Castle 1.72 names none.
    server.stop()
    server.config.write_text(server.config.read_text().replace('[cmp.label.default]\nmore_profiles = ["agree"]', '[cmp.label.default]\nmore_profiles = ["device"]')
                             .replace('agreement_proof = true\nprofile = "device"', 'agreement_proof = true\nprofile = "agree"'))
    server.start()
    secret, own = server.secret("castle", "--uses", "9", "--profile", "agree"), server.dir / "cmp/issuing-dh.pem"

    def answered(request):
        run_program("curl", "-sS", "--fail-with-body", "-H", "Content-Type: application/pkixcmp", "--data-binary", f"@{request}", "-o", tmp / "answer",
                    url_of(server) + "/.well-known/cmp")
        return peer("read", tmp / "answer", secret, tmp / "castle.der")

    peer("ask", own, "castle", secret, "CN=castle", tmp / "asked")
    check_equal(answered(tmp / "asked"), "mac true type 1\nstatus 0\n")
    run_program("openssl", "x509", "-inform", "DER", "-in", tmp / "castle.der", "-out", tmp / "castle.pem")
    verify(server, tmp / "castle.pem")
    check_equal(run_program("openssl", "x509", "-in", tmp / "castle.pem", "-noout", "-pubkey").out,
                run_program("openssl", "pkey", "-pubin", "-inform", "DER", "-in", tmp / "asked.pub", "-pubout").out)
    if key_type == "x25519":
        return
    peer("request", own, "CN=castle by PKCS 10", tmp / "p10")
    (tmp / "p10.key").chmod(0o600)
    estuary("cmp", "p10cr", url_of(server), *login(server, tmp, "p10", "--profile", "agree"), "--csr", tmp / "p10", "--key", tmp / "p10.key", "--trust", server.root, "--out", tmp / "out")
    verify(server, tmp / "out/cert.pem")
    changed = bytearray((tmp / "p10").read_bytes())
    changed[-1] ^= 1
    (tmp / "p10").write_bytes(changed)
    done = estuary("cmp", "p10cr", url_of(server), *login(server, tmp, "changed", "--profile", "agree"), "--csr", tmp / "p10", "--key", tmp / "p10.key", "--trust", server.root,
                   "--out", tmp / "changed", status=REFUSED)
    check_in("the MAC is wrong", done.err)


@with_server
def test_bouncy_castle_agrees_x25519(server, tmp):
    agreement_by_bouncy_castle(server, tmp, "x25519")


@with_server
def test_bouncy_castle_agrees_p256(server, tmp):
    agreement_by_bouncy_castle(server, tmp, "p256")


@with_server
def test_keys_of_the_authoritys_making(server, tmp):
    open_profile(server)
    who = login(server, tmp, "dev", "--profile", "open", "--uses", "3")
    # By the password: nothing but the secret protects it on its way.
    estuary("cmp", "ir", url_of(server), *who, "--profile", "open", "--subject", "CN=dev", "--generate-there", "--key-type", "rsa2048", "--trust", server.root, "--out", tmp / "dev")
    verify(server, tmp / "dev/cert.pem")
    first = same_key(tmp / "dev")
    check_equal((tmp / "dev/key.pem").stat().st_mode & 0o077, 0)
    # By the certificate's own key: key transport.
    estuary("cmp", "cr", url_of(server), "--cert", tmp / "dev/chain.pem", "--cert-key", tmp / "dev/key.pem", "--trust", server.root, "--subject", "CN=dev", "--profile", "open",
            "--generate-there", "--key-type", "p256", "--out", tmp / "second")
    assert same_key(tmp / "second") != first
    # And key agreement.
    estuary("cmp", "cr", url_of(server), "--cert", tmp / "second/chain.pem", "--cert-key", tmp / "second/key.pem", "--trust", server.root, "--subject", "CN=dev", "--profile", "open",
            "--generate-there", "--key-type", "p256", "--out", tmp / "third")
    same_key(tmp / "third")


@with_server
def test_waiting_for_a_key_outlives_the_client(server, tmp):
    server.stop()
    server.config.write_text(server.config.read_text().replace('[cmp.label.manual]\nprofile = "manual"', '[cmp.label.manual]\nprofile = "manual"\ngenerate_keys = true'))
    server.start()
    command = ["cmp", "ir", url_of(server), "--name", "manual", *login(server, tmp, "dev", "--profile", "manual"), "--subject", "CN=dev", "--generate-there",
               "--key-type", "p256", "--trust", server.root, "--out", tmp / "dev"]
    estuary(*command, "--wait", "0", status=PENDING)
    server.admin("request", "approve", "1")
    estuary(*command, "--confirm")   # too late for that: what was asked for is what is answered
    verify(server, tmp / "dev/cert.pem")
    same_key(tmp / "dev")


@with_server
def test_questions(server, tmp):
    url = url_of(server)
    estuary("cmp", "ir", url, *login(server, tmp, "dev"), "--subject", "CN=dev", "--out", tmp / "dev")

    def ask(what, *options, **more):
        return estuary("cmp", "genm", url, what, "--dir", tmp / "dev", *options, **more)
    known = ask("cacerts").out
    check_in("CN=Test Issuing CA", known)
    assert "not verified" not in known
    check_in("p256", ask("signkeytypes").out)
    check_in("rsa", ask("enckeytypes").out)
    check_in("key            p256", ask("template").out)
    check_in("en", ask("languages").out)
    check_in("2.16.840.1.101.3.4.1", ask("cipher").out)
    check_in("nothing to tell", ask("encryptioncert").err)
    check_in("nothing to tell", ask("rootupdate", "--old-root", server.root).err)
    ask("keyparams", status=USAGE)
    ask("keyparams", "--key-type", "rsa2048")
    ask("crls", status=USAGE)
    ask("nonsense", status=USAGE)
    ask("crls", "--issuer", server.issuing, "--out", tmp / "crl.pem")
    run_program("openssl", "crl", "-in", tmp / "crl.pem", "-noout", "-CAfile", server.issuing)
    check_in("nothing to tell", ask("crls", "--issuer", server.issuing, "--have", tmp / "crl.pem").err)
    check_in("not verified", ask("currentcrl").out)
    ask("currentcrl", "--issuer", server.root, status=NOT_TRUSTED)


@with_server
def test_revocation_by_somebody_else(server, tmp):
    """bug class 7: of one's own certificate only."""
    url = url_of(server)
    for name in ("dev", "other"):
        estuary("cmp", "ir", url, *login(server, tmp, name), "--subject", f"CN={name}", "--out", tmp / name)
    done = estuary("cmp", "rr", "--dir", tmp / "dev", "--revoke", tmp / "other/cert.pem", status=REFUSED)
    check_in("notAuthorized", done.err)
    estuary("cmp", "rr", url, *login(server, tmp, "third"), status=USAGE)
    estuary("cmp", "rr", "--dir", tmp / "dev", "--reason", "boredom", status=USAGE)
    estuary("cmp", "rr", status=USAGE)
    assert "revoked" not in server.admin("cert", "list").out


@with_server
def test_messages_in_files(server, tmp):
    """RFC 9483 6.4, with estuaryd cmp on the other side."""
    for name, label in (("dev", "default"), ("confirmed", "explicit")):
        out = tmp / name
        command = ["cmp", "ir", url_of(server), "--name", "explicit"] if label == "explicit" else ["cmp", "ir", url_of(server)]
        command += [*login(server, tmp, name), "--subject", f"CN={name}", "--trust", server.root, "--out", out]
        estuary(*command, "--answer", server.root, status=USAGE)
        estuary(*command, "--request-out", tmp / f"{name}.pki", status=PENDING)
        estuary(*command, "--request-out", tmp / f"{name}.pki", status=USAGE)
        at = ["--label", label] if label != "default" else []
        server.admin("cmp", tmp / f"{name}.pki", *at)
        answered = [*command, "--answer", tmp / f"{name}.answer.pki"]
        if label == "explicit":
            estuary(*answered, "--request-out", tmp / "conf.pki", status=PENDING)
            server.admin("cmp", tmp / "conf.pki", *at)
            answered = [*command, "--answer", tmp / "conf.answer.pki"]
        estuary(*answered)
        verify(server, out / "cert.pem")
        assert not (out / "pending").exists()
        estuary("cmp", "kur", out)


@with_server
def test_questions_and_revocations_in_files(server, tmp):
    """RFC 9483 6.4, of rr and genm: what has to be remembered is beside the request."""
    url = url_of(server)
    estuary("cmp", "ir", url, *login(server, tmp, "dev"), "--subject", "CN=dev", "--trust", server.root, "--out", tmp / "dev")
    for name, command in (("q", ["cmp", "genm", url, "cacerts", "--dir", tmp / "dev"]), ("r", ["cmp", "rr", "--dir", tmp / "dev", "--reason", "superseded"])):
        request, kept = tmp / f"{name}.pki", tmp / f"{name}.pki.kept"
        estuary(*command, "--answer", server.root, status=USAGE)
        check_in("is to be carried", estuary(*command, "--request-out", request, status=PENDING).err)
        check_equal(kept.stat().st_mode & 0o077, 0)
        check_in("on its way", estuary(*command, "--request-out", request, status=USAGE).err)
        server.admin("cmp", request)
        # Another command has nothing to do with it.
        check_in("another request", estuary("cmp", "genm", url, "languages", "--dir", tmp / "dev", "--keep", kept, "--answer", tmp / f"{name}.answer.pki",
                                            status=USAGE).err)
        estuary(*command, "--keep", kept, "--answer", server.root, status=FAILED)
        assert kept.exists(), "an answer that is none changes nothing"
        done = estuary(*command, "--request-out", request, "--answer", tmp / f"{name}.answer.pki")
        check_in("CN=Test Issuing CA" if name == "q" else "revoked", done.out)
        assert not kept.exists()
    check_in("revoked", server.admin("cert", "list").out)


def take_several(server):
    server.stop()
    server.config.write_text(server.config.read_text() + """
[cmp.label.many]
profile = "device"
more_profiles = ["manual"]
enroll = ["secret", "certificate"]
requests_max = 3
""")
    server.start()


@with_server
def test_several_certificates_by_one_message(server, tmp):
    take_several(server)
    url, many = url_of(server), ["--name", "many", "--trust", server.root]
    # Each certificate is a use of the secret.
    who = login(server, tmp, "dev", "--uses", "2")
    estuary("cmp", "ir", url, *many, *who, "--subject", "CN=one", "--out", tmp / "one", "--subject", "CN=two", "--out", tmp / "two", "--confirm")
    for name in ("one", "two"):
        verify(server, tmp / name / "cert.pem")
        check_in(f"CN={name}", run_program("openssl", "x509", "-in", tmp / name / "cert.pem", "-noout", "-subject", "-nameopt", "RFC2253").out)
        estuary("cmp", "kur", tmp / name)
    assert same_key(tmp / "one") != same_key(tmp / "two")
    # Some are refused: they are told, the others are there.
    signed = ["--cert", tmp / "one/chain.pem", "--cert-key", tmp / "one/key.pem"]
    done = estuary("cmp", "cr", url, *many, *signed, "--subject", "CN=one", "--out", tmp / "a", "--out", tmp / "b", "--out", tmp / "c",
                   "--key-type", "p256", "--key-type", "secp256k1", "--key-type", "p256", status=REFUSED)
    check_in(f"{tmp}/b: refused by the authority", done.err)
    check_in("1 of 3", done.err)
    for name in ("a", "c"):
        verify(server, tmp / name / "cert.pem")
    assert not (tmp / "b/cert.pem").exists() and not (tmp / "b/pending").exists()
    # Where one request is the limit, nothing comes; and what cannot be meant is not sent.
    two = ["--subject", "CN=x", "--out", tmp / "x", "--out", tmp / "y"]
    estuary("cmp", "ir", url, "--trust", server.root, *login(server, tmp, "x"), *two, status=REFUSED)
    assert not (tmp / "x/cert.pem").exists()
    ask = ["cmp", "ir", url, *many, *login(server, tmp, "y")]
    for options in ([*two, "--subject", "CN=y", "--subject", "CN=z"], [*two, "--key", tmp / "one/key.pem"], [*two, "--generate-there"], ["--subject", "CN=x", "--out", tmp / "x", "--out", tmp / "x"],
                    ["--subject", "CN=x", "--out", tmp / "one", "--out", tmp / "y"]):
        estuary(*ask, *options, status=USAGE)


@with_server
def test_a_key_that_signs_and_one_that_does_not(server, tmp):
    """One message, two ways to show possession: a signature, and the decrypted certificate."""
    take_several(server)
    server.stop()
    server.config.write_text(server.config.read_text().replace('more_profiles = ["manual"]', 'more_profiles = ["agree"]') + """
[profile.agree]
ca = "issuing"
key_types = ["x25519"]
key_usage = ["keyAgreement"]
[profile.agree.subject]
allowed = ["CN"]
""")
    server.start()
    many = [url_of(server), "--name", "many", "--trust", server.root, "--subject", "CN=dev"]
    estuary("cmp", "ir", *many, *login(server, tmp, "dev"), "--out", tmp / "dev")
    estuary("cmp", "cr", *many, "--cert", tmp / "dev/chain.pem", "--cert-key", tmp / "dev/key.pem", "--profile", "device", "--key-type", "p256", "--out", tmp / "signs",
            "--profile", "agree", "--key-type", "x25519", "--out", tmp / "agrees")
    for name, algorithm in (("signs", "id-ecPublicKey"), ("agrees", "X25519")):
        verify(server, tmp / name / "cert.pem")
        same_key(tmp / name)
        check_in(algorithm, run_program("openssl", "x509", "-in", tmp / name / "cert.pem", "-noout", "-text").out)
    assert "revoked" not in server.admin("cert", "list").out


@with_server
def test_several_of_which_some_wait(server, tmp):
    take_several(server)
    many = ["--name", "many", "--trust", server.root]
    estuary("cmp", "ir", url_of(server), *many, *login(server, tmp, "dev"), "--subject", "CN=dev", "--out", tmp / "dev")
    command = ["cmp", "cr", url_of(server), *many, "--cert", tmp / "dev/chain.pem", "--cert-key", tmp / "dev/key.pem", "--subject", "CN=dev", "--confirm",
               "--profile", "device", "--profile", "manual", "--out", tmp / "now", "--out", tmp / "later"]
    estuary(*command, "--wait", "0", status=PENDING)
    keys = [(tmp / name / "pending/key.pem").read_bytes() for name in ("now", "later")]
    server.stop()
    server.start()
    estuary(*command, "--wait", "0", status=PENDING)
    server.admin("request", "approve", "1")
    check_in("Asking again", estuary(*command).err)
    for name, key in zip(("now", "later"), keys):
        verify(server, tmp / name / "cert.pem")
        check_equal((tmp / name / "key.pem").read_bytes(), key)
        assert not (tmp / name / "pending").exists()
    check_equal(server.admin("cert", "list").out.count("CN=dev"), 3)
    assert "revoked" not in server.admin("cert", "list").out, "both were confirmed"


@with_server
def test_several_certificates_in_files(server, tmp):
    take_several(server)
    command = ["cmp", "ir", url_of(server), "--name", "many", "--trust", server.root, *login(server, tmp, "dev", "--uses", "2"), "--subject", "CN=dev",
               "--out", tmp / "one", "--out", tmp / "two"]
    estuary(*command, "--request-out", tmp / "q.pki", status=PENDING)
    server.admin("cmp", tmp / "q.pki", "--label", "many")
    estuary(*command, "--answer", tmp / "q.answer.pki")
    for name in ("one", "two"):
        verify(server, tmp / name / "cert.pem")
        same_key(tmp / name)


@with_server
def test_a_new_root_is_believed_by_the_links(server, tmp):
    """RFC 9810 4.4.2, 5.3.19.15; bug class 16."""
    url, secret = url_of(server), login(server, tmp, "dev", "--uses", "20")
    estuary("cmp", "ir", url, *secret, "--subject", "CN=dev", "--trust", server.root, "--out", tmp / "dev")
    (tmp / "old.pem").write_text(server.root.read_text())
    check_in("nothing to tell", estuary("cmp", "genm", url, "rootupdate", "--old-root", tmp / "old.pem", *secret).err)
    server.admin("ca", "rollover")
    server.reload()
    estuary("cmp", "genm", url, "rootupdate", "--old-root", tmp / "old.pem", *secret, "--out", tmp / "new.pem")
    new = run_program("openssl", "x509", "-in", tmp / "new.pem", "-noout", "-fingerprint", "-sha256").out
    check_equal(new, run_program("openssl", "x509", "-in", server.root, "-noout", "-fingerprint", "-sha256").out)
    assert new != run_program("openssl", "x509", "-in", tmp / "old.pem", "-noout", "-fingerprint", "-sha256").out
    # Whoever has the new one hears that it is the newest; whom no link leads there, hears nothing.
    check_in("nothing to tell", estuary("cmp", "genm", url, "rootupdate", "--old-root", tmp / "new.pem", *secret).err)
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-keyout", tmp / "other.key",
                "-out", tmp / "other.pem")
    check_in("nothing to tell", estuary("cmp", "genm", url, "rootupdate", "--old-root", tmp / "other.pem", *secret).err)
    # What comes under the new root is verified by the new root.
    estuary("cmp", "ir", url, *secret, "--subject", "CN=dev2", "--trust", tmp / "new.pem", "--out", tmp / "dev2")
    verify(server, tmp / "dev2/cert.pem")


@with_server
def test_a_revocation_that_waits_is_one(server, tmp):
    """RFC 9483 4.4: error with status waiting, polled for, and kept in the directory."""
    server.stop()
    server.config.write_text(server.config.read_text().replace('[cmp.label.default]\n', '[cmp.label.default]\nmanual_approval_of_revocation = true\n'))
    server.start()
    estuary("cmp", "ir", url_of(server), *login(server, tmp, "dev"), "--subject", "CN=dev", "--trust", server.root, "--out", tmp / "dev")
    kept, listed = tmp / "dev/revocation.kept", lambda: json.loads(server.admin("request", "list", "--json").out)
    check_in("run the same command again", estuary("cmp", "rr", "--dir", tmp / "dev", "--wait", "0", status=PENDING).err)
    check_equal(kept.stat().st_mode & 0o077, 0)
    check_in("another request", estuary("cmp", "rr", "--dir", tmp / "dev", "--reason", "superseded", "--wait", "0", status=USAGE).err)
    server.stop()
    server.start()
    estuary("cmp", "rr", "--dir", tmp / "dev", "--wait", "0", status=PENDING)
    check_equal(len(listed()), 1, "the same request, not another one")
    server.admin("request", "approve", str(listed()[0]["id"]))
    check_in("Asking again", estuary("revoke", tmp / "dev").err)
    assert not kept.exists()
    check_in("revoked", server.admin("cert", "list").out)


def need_ml_kem():
    if run_program("openssl", "genpkey", "-algorithm", "ML-KEM-768", check=False).returncode != 0:
        raise Skip("this OpenSSL has no ML-KEM")


@with_server
def test_a_kem_key_protects(server, tmp):
    """RFC 9810 5.1.3.4, figure 3: the client's certificate is for an ML-KEM key."""
    need_ml_kem()
    server.stop()
    server.config.write_text(server.config.read_text() + """
[cmp.label.kem]
profile = "kem"
more_profiles = ["device"]
enroll = ["secret", "certificate"]
kem_protection = true

[profile.kem]
ca = "issuing"
key_types = ["ml-kem-768"]
key_usage = ["keyEncipherment"]
[profile.kem.subject]
allowed = ["CN"]
""")
    server.start()
    there = [url_of(server), "--name", "kem", "--trust", server.root, "--subject", "CN=dev"]
    estuary("cmp", "ir", *there, *login(server, tmp, "dev", "--profile", "kem"), "--key-type", "ml-kem-768", "--out", tmp / "kem")
    kem = ["--cert", tmp / "kem/chain.pem", "--cert-key", tmp / "kem/key.pem"]
    estuary("cmp", "cr", *there, *kem, "--profile", "device", "--out", tmp / "signs", "--confirm")
    verify(server, tmp / "signs/cert.pem")
    estuary("cmp", "kur", tmp / "kem", "--key-type", "ml-kem-768")   # a new key; possession by decryption
    check_in("CN=Test Issuing CA", estuary("cmp", "genm", url_of(server), "cacerts", "--name", "kem", "--dir", tmp / "kem").out)
    estuary("cmp", "rr", "--dir", tmp / "kem")
    check_in("revoked", server.admin("cert", "list").out)
    # A label that does not say so does not take them.
    estuary("cmp", "cr", url_of(server), "--trust", server.root, "--subject", "CN=dev", *kem, "--out", tmp / "none", status=REFUSED)


# -- revocation passphrases (RFC 9810 B) ---------------------------------------------------------------------------------------------
PASSPHRASE = "lost keys are revoked by this"


def take_passphrases(server, tmp):
    """The default label takes them, from who has a secret or a certificate."""
    server.stop()
    server.config.write_text(server.config.read_text().replace("[cmp.label.default]\n", "[cmp.label.default]\nrevocation_passphrases = true\n"))
    server.admin("check")
    server.start()
    (tmp / "passphrase").write_text(PASSPHRASE + "\n")
    (tmp / "next").write_text("and the next ones by that\n")
    return ["--passphrase-file", tmp / "passphrase"]


def serial_of(certificate):
    return run_program("openssl", "x509", "-in", certificate, "-noout", "-serial").out.strip().split("=")[1]


def is_revoked(server, certificate):
    return serial_of(certificate).lower() in "".join(line for line in server.admin("cert", "list").out.splitlines() if "revoked" in line).lower()


@with_server
def test_a_passphrase_revokes_without_the_key(server, tmp):
    given = take_passphrases(server, tmp)
    url, trust = url_of(server), ["--trust", server.root]
    for name in ("dev", "other"):
        estuary("cmp", "ir", url, *login(server, tmp, name), "--subject", f"CN={name}", *trust, "--out", tmp / name)
    dev = tmp / "dev/cert.pem"
    check_in("taken", estuary("cmp", "genm", url, "passphrase", "--dir", tmp / "dev", *trust, *given, "--key-id", "dev-1").out)
    # The directory, with its key, is gone; and the server has been away.
    certificate = tmp / "kept.pem"
    certificate.write_text(dev.read_text())
    run_program("rm", "-r", tmp / "dev")
    server.stop()
    server.start()
    check_in("MAC", estuary("cmp", "rr", url, "--revoke", certificate, *given, "--key-id", "dev-2", *trust, status=REFUSED).err)
    check_in("notAuthorized", estuary("cmp", "rr", url, "--revoke", tmp / "other/cert.pem", *given, "--key-id", "dev-1", status=REFUSED).err)
    estuary("cmp", "genm", url, "passphrase", "--dir", tmp / "other", *trust, "--passphrase-file", tmp / "next", "--key-id", "dev-1", status=REFUSED)
    check_equal(is_revoked(server, certificate), False)
    done = estuary("cmp", "rr", url, "--issuer", "CN=Test Issuing CA", "--serial", serial_of(certificate), *given, "--key-id", "dev-1", "--reason", "keyCompromise")
    check_in("keyCompromise", done.out)
    check_equal(is_revoked(server, certificate), True)
    check_equal(is_revoked(server, tmp / "other/cert.pem"), False)
    assert PASSPHRASE not in server.log() + server.admin("audit", "list").out


@with_server
def test_a_passphrase_goes_along(server, tmp):
    """In the header of requests, or with certConf, found by its holder's name; and an rr conveys the next one."""
    given = take_passphrases(server, tmp)
    url, trust = url_of(server), ["--trust", server.root]
    conveyed = ["--revocation-passphrase-file", tmp / "passphrase"]
    for name, more in (("mac", []), ("confirmed", ["--confirm"])):
        done = estuary("cmp", "ir", url, *login(server, tmp, name), "--subject", f"CN={name}", *trust, "--out", tmp / name, *conveyed, *more)
        check_in("has taken the revocation passphrase", done.err)
        check_in("revoked", estuary("cmp", "rr", url, "--revoke", tmp / name / "cert.pem", *given, "--holder", f"CN={name}").out)
    # Known by a certificate: the passphrase is encrypted for what the CA tells, and found by the subject.
    estuary("cmp", "ir", url, *login(server, tmp, "first"), "--subject", "CN=dev,O=Example", *trust, "--out", tmp / "dev")
    check_in("has taken", estuary("cmp", "kur", tmp / "dev", *conveyed).err)
    estuary("cmp", "cr", url, "--cert", tmp / "dev/chain.pem", "--cert-key", tmp / "dev/key.pem", *trust, "--subject", "CN=dev,O=Example", "--out", tmp / "second")
    check_in("has taken", estuary("cmp", "rr", url, "--revoke", tmp / "dev/cert.pem", *given, "--revocation-passphrase-file", tmp / "next",
                                  "--revocation-key-id", "next").err)
    estuary("cmp", "rr", url, "--revoke", tmp / "second/cert.pem", *given, status=NOT_TRUSTED)
    estuary("cmp", "rr", url, "--revoke", tmp / "second/cert.pem", *given, *trust, status=REFUSED)
    estuary("cmp", "rr", url, "--revoke", tmp / "second/cert.pem", "--passphrase-file", tmp / "next", "--key-id", "next")
    check_equal(is_revoked(server, tmp / "second/cert.pem"), True)


@with_server
def test_a_passphrase_that_is_not_taken_is_told(server, tmp):
    take_passphrases(server, tmp)
    url, trust = url_of(server), ["--trust", server.root]
    conveyed = ["--revocation-passphrase-file", tmp / "passphrase"]
    # A label that takes none refuses the whole request: RFC 9810 B has it acknowledge or refuse.
    refused = estuary("cmp", "ir", url, "--name", "explicit", *login(server, tmp, "dev"), "--subject", "CN=dev", *trust, "--out", tmp / "dev", *conveyed, status=REFUSED)
    check_in("not taken here", refused.err)
    assert not (tmp / "dev/cert.pem").exists()
    estuary("cmp", "ir", url, *login(server, tmp, "dev2"), "--subject", "CN=dev", *trust, "--out", tmp / "dev")
    (tmp / "short").write_text("7 octet\n")
    check_in("8 to 1024", estuary("cmp", "genm", url, "passphrase", "--dir", tmp / "dev", *trust, "--passphrase-file", tmp / "short", status=FAILED).err)
    # Whoever is no CA of ours does not get it.
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp / "x.key", "-subj", "/CN=x",
                "-out", tmp / "x.pem")
    estuary("cmp", "genm", url, "passphrase", "--dir", tmp / "dev", "--trust", tmp / "x.pem", "--passphrase-file", tmp / "passphrase", status=NOT_TRUSTED)
    for wrong in (["genm", url, "passphrase", "--dir", tmp / "dev"], ["rr", url, "--passphrase-file", tmp / "passphrase"],
                  ["rr", url, "--passphrase-file", tmp / "passphrase", "--key-id", "x", "--issuer", "CN=x", "--serial", "zz"],
                  ["rr", url, "--dir", tmp / "dev", "--passphrase-file", tmp / "passphrase", "--key-id", "x"]):
        estuary("cmp", *wrong, status=USAGE)


@with_server
def test_openssl_revokes_by_a_passphrase(server, tmp):
    """An rr of OpenSSL's client, with the identifier as -ref and the passphrase as -secret."""
    given = take_passphrases(server, tmp)
    url, trust = url_of(server), ["--trust", server.root]
    estuary("cmp", "ir", url, *login(server, tmp, "dev"), "--subject", "CN=dev", *trust, "--out", tmp / "dev",
            "--revocation-passphrase-file", tmp / "passphrase", "--revocation-key-id", "dev-1")
    rr = ["-oldcert", tmp / "dev/cert.pem", "-revreason", "1", "-ref", "dev-1"]
    wrong = server.cmp("rr", *rr, "-secret", "pass:" + PASSPHRASE + "?", "-unprotected_errors", check=False)
    check_in("badMessageCheck", wrong.out + wrong.err)
    for reference in ("dev", "dev-2"):   # neither by another identifier, nor as the credential's secret
        assert server.cmp("rr", *rr[:-1], reference, "-secret", f"pass:{PASSPHRASE}", check=False).returncode != 0
    check_equal(is_revoked(server, tmp / "dev/cert.pem"), False)
    done = server.cmp("rr", *rr, "-secret", f"pass:{PASSPHRASE}")
    check_in("revocation accepted", (done.out + done.err).lower())
    check_equal(is_revoked(server, tmp / "dev/cert.pem"), True)
    # It is good for nothing else, and nothing more.
    again = server.cmp("rr", *rr, "-secret", f"pass:{PASSPHRASE}", check=False)
    check_in("certRevoked", again.out + again.err)
    enrolling = server.cmp("ir", "-ref", "dev-1", "-secret", f"pass:{PASSPHRASE}", "-newkey", new_key(tmp, "k"), "-subject", "/CN=dev", "-certout", tmp / "k.pem",
                           check=False)
    assert enrolling.returncode != 0 and not (tmp / "k.pem").exists()
    check_equal(estuary("cmp", "rr", url, "--revoke", tmp / "dev/cert.pem", *given, "--key-id", "dev-1", status=REFUSED).returncode, REFUSED)


@with_server
def test_over_https(server, tmp):
    url = server.url
    who = login(server, tmp, "dev")
    check_in("--trust", estuary("enroll", url, "--protocol", "cmp", *who, "--subject", "CN=dev", "--out", tmp / "dev", status=USAGE).err)
    estuary("enroll", url, "--protocol", "cmp", *who, "--subject", "CN=dev", "--trust", server.root, "--out", tmp / "dev")
    estuary("renew", tmp / "dev", "--rekey")
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-keyout", tmp / "other.key",
                "-out", tmp / "other.pem")
    estuary("cmp", "ir", url, *login(server, tmp, "next"), "--subject", "CN=next", "--trust", tmp / "other.pem", "--out", tmp / "next", status=NOT_TRUSTED)


@with_server
def test_revoked_signers_are_not_believed(server, tmp):
    """bug class 6, on the client's side: --check-server, of who signs the answers."""
    who = login(server, tmp, "dev")
    estuary("enroll", url_of(server), "--protocol", "cmp", *who, "--subject", "CN=dev", "--out", tmp / "dev", "--check-server", "hard")
    done = estuary("renew", tmp / "dev", "--check-server", "hard")
    assert "warning" not in done.err, done.err
    serial = run_program("openssl", "x509", "-in", server.dir / "cmp/issuing.pem", "-noout", "-serial").out.strip().partition("=")[2]
    server.admin("cert", "revoke", serial.lower(), "--reason", "keyCompromise")
    before = (tmp / "dev/cert.pem").read_text()
    for options in (["renew", tmp / "dev", "--check-server", "soft"], ["cmp", "kur", tmp / "dev", "--check-server", "hard"], ["revoke", tmp / "dev", "--check-server", "hard"]):
        check_in("revoked", estuary(*options, status=NOT_TRUSTED).err)
    check_equal((tmp / "dev/cert.pem").read_text(), before)


@with_server
def test_a_manufacturers_certificate_begins(server, tmp):
    """3GPP TS 33.310: ir by the maker's certificate; then the operator's own is updated by itself."""
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
    run_program("openssl", "req", "-x509", *ec, tmp / "acme.key", "-subj", "/CN=acme root", "-out", tmp / "acme.pem", "-addext", "keyUsage=critical,keyCertSign")
    run_program("openssl", "req", *ec, tmp / "maker.key", "-subj", "/O=acme/serialNumber=4711", "-out", tmp / "maker.csr")
    (tmp / "ext").write_text("keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run_program("openssl", "x509", "-req", "-in", tmp / "maker.csr", "-CA", tmp / "acme.pem", "-CAkey", tmp / "acme.key", "-days", "30", "-extfile", tmp / "ext",
                "-out", tmp / "maker.pem")
    server.trust_maker(tmp / "acme.pem", factory="")
    ask = ["--cert", tmp / "maker.pem", "--cert-key", tmp / "maker.key", "--trust", server.root, "--subject", "CN=station,serialNumber=4711", "--out", tmp / "station"]
    estuary("cmp", "cr", url_of(server), "--name", "factory", *ask, status=REFUSED)
    estuary("enroll", url_of(server), "--protocol", "cmp", "--label", "factory", *ask)
    verify(server, tmp / "station/cert.pem")
    estuary("renew", tmp / "station", "--rekey")


@with_server
def test_a_crl_that_is_to_come(server, tmp):
    """RFC 9483 4.4, of genm: the first CRL of a CA is waited for, over restarts of both."""
    url = url_of(server)
    estuary("cmp", "ir", url, *login(server, tmp, "dev"), "--subject", "CN=dev", "--trust", server.root, "--out", tmp / "dev")
    command = lambda what: ["cmp", "genm", url, what, "--dir", tmp / "dev", "--issuer", server.issuing, "--keep", tmp / what,  # noqa: E731
                            "--out", tmp / f"{what}.pem"]
    with no_crl(server):
        for what in ("currentcrl", "crls"):
            estuary(*command(what), "--wait", "0", status=PENDING)
            estuary(*command(what), "--wait", "0", status=PENDING)
        server.stop()
        server.start()
    for what in ("currentcrl", "crls"):
        estuary(*command(what))
        run_program("openssl", "crl", "-in", tmp / f"{what}.pem", "-noout", "-CAfile", server.issuing)


@with_server
def test_usage_and_unreachable(server, tmp):
    url, who = url_of(server), login(server, tmp, "dev")
    ask = ["--subject", "CN=dev", "--out", tmp / "dev"]
    estuary("cmp", "ir", url, *ask, status=USAGE)                                            # nobody asks
    estuary("cmp", "ir", "ftp://x", *who, *ask, status=USAGE)
    estuary("cmp", "ir", url + "/elsewhere", "--name", "x", *who, *ask, status=USAGE)
    estuary("enroll", url, "--protocol", "cmp", *who, *ask, "--fingerprint", "00" * 32, status=USAGE)
    estuary("cmp", "kur", tmp / "nothing", status=FAILED)
    estuary("cmp", "ir", url, "--name", "none", *who, *ask, status=REFUSED)
    estuary("cmp", "ir", f"http://127.0.0.1:{free_port()}", *who, *ask, "--wait", "0", status=TRY_AGAIN)
    estuary("cmp", "ir", url, *who, *ask)
    estuary("cmp", "ir", url, *who, *ask, status=USAGE)                                      # it holds a certificate


if __name__ == "__main__":
    run(globals())
