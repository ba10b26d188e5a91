"""CAs certified by CAs (CMP's ccr): two installations, a person between them, and OpenSSL as the judge of what comes out; strongSwan's pki, too,
where it is installed."""
import json
import shutil

from harness_cmp import *  # noqa: F403

OK, FAILED, USAGE, REFUSED, NOT_TRUSTED, PENDING = 0, 1, 2, 3, 4, 5


class Upper(CmpServer):
    """Whose issuing CA certifies CAs."""

    LABEL = """
[profile.sub-ca]
ca = "issuing"
ca_certificate = true
path_length = 0
manual_approval = true
poll_interval = "1s"
validity = "1825d"
key_types = ["p256"]
[profile.sub-ca.subject]
allowed = ["CN", "O"]
[profile.sub-ca.name_constraints]
permitted = ["dns:other.example"]
excluded = ["dns:secret.other.example"]

[cmp.label.cross]
profile = "device"
enroll = ["secret", "certificate"]
cross_certification = "sub-ca"
"""

    def __init__(self, directory):
        super().__init__(directory, self.LABEL, init_options=("--path-length", "1"))


class Two:
    """An installation above, and one whose CA is to be certified by it."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.upper = Upper(tmp / "upper").start()
        self.lower = Server(tmp / "lower", name="Other").start()

    def stop(self):
        self.upper.stop()
        self.lower.stop()

    def login(self, name="other", *options):
        (self.tmp / f"{name}.pw").write_text(self.upper.secret(name, *(options or ("--profile", "sub-ca"))) + "\n")
        return ["--user", name, "--password-file", self.tmp / f"{name}.pw"]

    def ccr(self, *options, out="by-upper.pem", status=OK):
        done = run_program(ESTUARY, "cmp", "ccr", f"http://127.0.0.1:{self.upper.cmp_port}", "--name", "cross", "--key", self.lower.dir / "ca/issuing.key",
                           "--out", self.lower.dir / out, *options, check=False)
        assert done.returncode == status, f"{options} exited with {done.returncode}, not {status}\n{done.out}{done.err}"
        return done

    def usual(self):
        """What a CA says that is certified as it is."""
        return ["--certify", self.lower.issuing, "--trust", self.upper.root, "--issuer", "CN=Test Issuing CA"]

    def decide(self, what, *options):
        waiting = json.loads(self.upper.admin("request", "list", "--json").out)
        check_equal(len(waiting), 1)
        self.upper.admin("request", what, str(waiting[0]["id"]), *options)

    def certified(self, *options):
        """The whole way, with the person's decision in it."""
        who = self.login()
        self.ccr(*self.usual(), *who, *options, "--wait", "0", status=PENDING)
        self.decide("approve")
        self.ccr(*self.usual(), *who, *options)
        return self.lower.dir / "by-upper.pem"

    def device(self, name, *names, profile="server", label="server"):
        """A certificate of the lower installation, as it is now."""
        password = self.lower.credential(name, "--profile", profile)
        (self.tmp / f"{name}.pw").write_text(password + "\n")
        sans = [option for san in names for option in ("--san", san)]
        run_program(ESTUARY, "enroll", self.lower.url, "--label", label, "--user", name, "--password-file", self.tmp / f"{name}.pw", "--trust", self.lower.root,
                    "--subject", f"CN={name}", *sans, "--out", self.tmp / name)
        return self.tmp / name / "cert.pem"

    def verify(self, certificate, untrusted, *options):
        """OpenSSL's judgement with the upper root as the only anchor; what it has to say, or nothing."""
        done = run_program("openssl", "verify", "-x509_strict", "-CAfile", self.upper.root, "-untrusted", untrusted, *options, certificate, check=False)
        return "" if done.returncode == 0 else done.out + done.err

    def strongswan_verifies(self, certificate, cross):
        """The path by strongSwan's pki, which takes one certificate a file, and does not look at name constraints."""
        if shutil.which("pki") is None:
            return None
        parts = [part + "-----END CERTIFICATE-----\n" for part in cross.read_text().split("-----END CERTIFICATE-----\n")[:2]]
        between = []
        for number, part in enumerate(parts):
            (self.tmp / f"part{number}.pem").write_text(part)
            between += ["--cacert", self.tmp / f"part{number}.pem"]
        return run_program("pki", "--verify", "--in", certificate, *between, "--cacert", self.upper.root, check=False).returncode == 0


def with_two(test):
    def run_it(tmp):
        two = Two(tmp)
        try:
            test(two, tmp)
        except Exception:
            print("-- the upper log --\n" + two.upper.log()[-4000:] + "\n-- the lower log --\n" + two.lower.log()[-2000:])
            raise
        finally:
            two.stop()
    run_it.__doc__ = test.__doc__
    return run_it


def text_of(certificate):
    return run_program("openssl", "x509", "-in", certificate, "-noout", "-text").out


@with_two
def test_a_ca_is_cross_certified(two, tmp):
    """Root of one -> cross-certificate -> CA of the other -> its devices; with what the certificate holds them to."""
    who = two.login()
    kept = two.lower.dir / "by-upper.pem.kept"
    check_in("waits for approval", two.ccr(*two.usual(), *who, "--wait", "0", status=PENDING).err)
    assert kept.exists()
    two.ccr(*two.usual(), *who, "--wait", "0", status=PENDING)          # the same request, not another
    shown = two.upper.admin("request", "show", "1").out
    for part in ("cross-certify", "of a CA", "CN=Other Issuing CA", "issuer:", "CN=Test Issuing CA", "path length:", "credential:other", "sha256 of the key"):
        check_in(part, shown)
    two.upper.stop()
    two.upper.start()
    two.decide("approve")
    check_in("grantedWithMods", two.ccr(*two.usual(), *who).err)        # name constraints were not asked for
    cross = two.lower.dir / "by-upper.pem"
    assert not kept.exists()

    text = text_of(cross)
    for part in ("CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "Subject: CN = Other Issuing CA", "Issuer: CN = Test Issuing CA", "DNS:other.example",
                 "DNS:secret.other.example"):
        check_in(part.replace(" = ", "="), text.replace(" = ", "="))
    identifier = run_program("openssl", "x509", "-in", two.lower.issuing, "-noout", "-ext", "subjectKeyIdentifier").out
    check_equal(run_program("openssl", "x509", "-in", cross, "-noout", "-ext", "subjectKeyIdentifier").out, identifier)
    key = run_program("openssl", "x509", "-in", two.lower.issuing, "-noout", "-pubkey").out
    check_equal(run_program("openssl", "x509", "-in", cross, "-noout", "-pubkey").out, key)
    check_equal(two.verify(cross, cross), "")
    check_in("Test Root CA", run_program("openssl", "crl2pkcs7", "-nocrl", "-certfile", cross, "-outform", "PEM").out and
             run_program("openssl", "storeutl", "-noout", "-text", "-certs", cross).out)   # its path is in the file

    # What the other CA certifies is believed by who believes in this one, as far as names and path length go.
    check_equal(two.verify(two.device("host", "dns:host.other.example"), cross), "")
    assert two.strongswan_verifies(tmp / "host/cert.pem", cross) in (True, None)
    check_in("unable to get", two.verify(tmp / "host/cert.pem", two.lower.issuing))        # without the cross-certificate it is not
    check_in("permitted subtree", two.verify(two.device("elsewhere", "dns:host.elsewhere.example"), cross))
    check_in("excluded subtree", two.verify(two.device("secret", "dns:a.secret.other.example"), cross))
    run_program("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=below", "-keyout", tmp / "below.key", "-out",
                tmp / "below.csr")
    (tmp / "ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run_program("openssl", "x509", "-req", "-in", tmp / "below.csr", "-CA", cross, "-CAkey", two.lower.dir / "ca/issuing.key", "-days", "30", "-extfile", tmp / "ext",
                "-out", tmp / "below.pem")
    run_program("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=end", "-keyout", tmp / "end.key", "-out",
                tmp / "end.csr")
    (tmp / "ext").write_text("keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run_program("openssl", "x509", "-req", "-in", tmp / "end.csr", "-CA", tmp / "below.pem", "-CAkey", tmp / "below.key", "-days", "30", "-extfile", tmp / "ext",
                "-out", tmp / "end.pem")
    check_in("path length", two.verify(tmp / "end.pem", cross, "-untrusted", tmp / "below.pem"))

    # Revoked above, it leads nowhere.
    check_in("CN=Other Issuing CA", two.upper.admin("cert", "list", "--subject", "CN=Other Issuing CA").out)
    serial = run_program("openssl", "x509", "-in", cross, "-noout", "-serial").out.strip().split("=")[1]
    two.upper.admin("crl", "publish", "--ca", "issuing")
    lists = lambda: run_program("openssl", "crl", "-inform", "DER", "-in", two.upper.dir / "crl/issuing-0.crl", "-out", tmp / "issuing.crl")
    lists()
    check_equal(two.verify(cross, cross, "-crl_check", "-CRLfile", tmp / "issuing.crl"), "")
    two.upper.admin("cert", "revoke", serial, "--reason", "cACompromise")
    two.upper.admin("crl", "publish", "--ca", "issuing")
    lists()
    check_in("certificate revoked", two.verify(cross, cross, "-crl_check", "-CRLfile", tmp / "issuing.crl"))
    status = run_program("openssl", "ocsp", "-issuer", two.upper.issuing, "-cert", cross, "-url", two.upper.status_url + "/ocsp", "-CAfile", two.upper.root,
                         "-no_nonce").out
    check_in("revoked", status)


@with_two
def test_a_subordinate_ca_takes_its_certificate(two, tmp):
    """The lower installation goes on under the upper root: what docs/cmp.md says, step by step."""
    # Its own host names are held to the name constraints, too.
    two.upper.config.write_text(two.upper.config.read_text().replace('permitted = ["dns:other.example"]\n', ""))
    two.upper.reload()
    cross = two.certified()
    before = two.device("before", "dns:before.other.example")
    two.lower.stop()
    text = two.lower.config.read_text()
    check_in('[ca.issuing]\ndirectory = "ca"', text)
    two.lower.config.write_text(text.replace('[ca.issuing]\ndirectory = "ca"', '[ca.issuing]\ncertificate = "by-upper.pem"\nkey = "ca/issuing.key"'))
    two.lower.admin("check")
    two.lower.start()
    password = two.lower.credential("dev", "--profile", "device")
    (tmp / "dev.pw").write_text(password + "\n")
    run_program(ESTUARY, "enroll", two.lower.url, "--user", "dev", "--password-file", tmp / "dev.pw", "--trust", two.upper.root, "--subject", "CN=dev",
                "--out", tmp / "dev")
    check_equal(two.verify(tmp / "dev/cert.pem", tmp / "dev/chain.pem"), "")
    check_equal(two.verify(before, cross), "")                                             # what it had certified before, too
    told = run_program(ESTUARY, "cacerts", two.lower.url, "--trust", two.upper.root).out
    check_in((two.upper.root).read_text().strip(), told)
    run_program(ESTUARY, "renew", tmp / "dev")


@with_two
def test_a_cross_certificate_is_told(two, tmp):
    """As one more path to the same CA: what lies in rollover.pem is in /cacerts."""
    cross = two.certified()
    first = cross.read_text().split("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n"
    (two.lower.dir / "ca/rollover.pem").write_text(first)
    two.lower.admin("check")
    two.lower.reload()
    told = run_program(ESTUARY, "cacerts", two.lower.url, "--trust", two.lower.root).out
    check_in(first.strip(), told)
    check_in(two.lower.issuing.read_text().strip(), told)
    two.device("host", "dns:host.other.example")


@with_two
def test_by_a_signature(two, tmp):
    """By a certificate of the upper installation that names the CA (RFC 9810 D.6)."""
    url = f"http://127.0.0.1:{two.upper.cmp_port}"
    for name in ("Other Issuing CA", "Somebody"):
        who = two.login(name.split()[0].lower(), "--profile", "device")
        run_program(ESTUARY, "cmp", "ir", url, "--name", "cross", *who, "--subject", f"CN={name}", "--trust", two.upper.root, "--out", tmp / name.split()[0])
    two.ccr(*two.usual(), "--cert", tmp / "Somebody/chain.pem", "--cert-key", tmp / "Somebody/key.pem", status=REFUSED)
    signed = ["--cert", tmp / "Other/chain.pem", "--cert-key", tmp / "Other/key.pem"]
    two.ccr(*two.usual(), *signed, "--wait", "0", status=PENDING)
    two.decide("approve")
    two.ccr(*two.usual(), *signed)
    check_equal(two.verify(two.device("host", "dns:host.other.example"), two.lower.dir / "by-upper.pem"), "")


@with_two
def test_what_is_asked_for_counts(two, tmp):
    """Without the CA's own certificate; a shorter life and fewer names than the profile gives."""
    ask = ["--subject", "CN=Other Issuing CA,O=Example", "--trust", two.upper.root, "--issuer", "CN=Test Issuing CA", "--permitted", "dns:sub.other.example"]
    who = two.login()
    two.ccr(*ask, *who, status=USAGE)                                                      # until when?
    two.ccr(*ask, *who, "--validity", "30d", "--wait", "0", status=PENDING)
    two.decide("approve")
    shown = two.ccr(*ask, *who, "--validity", "30d").out
    check_in("permitted      dns:sub.other.example", shown)
    check_in("excluded       dns:secret.other.example", shown)
    cross = two.lower.dir / "by-upper.pem"
    assert run_program("openssl", "x509", "-in", cross, "-noout", "-checkend", str(31 * 86400), check=False).returncode != 0
    two.ccr(*ask, *two.login("next"), "--validity", "30d", "--permitted", "dns:elsewhere.example", out="wider.pem", status=REFUSED)


@with_two
def test_it_is_refused(two, tmp):
    """Every way in but the right one."""
    who, plain = two.login(), two.login("plain", "--profile", "device")
    two.ccr(*two.usual(), *plain, status=REFUSED)
    two.ccr(*two.usual(), *two.login("any", "--subject", "CN=*"), status=REFUSED)
    two.ccr("--certify", two.upper.issuing, "--trust", two.upper.root, "--issuer", "CN=x", *who, status=USAGE)  # not this key's
    two.ccr("--certify", two.lower.issuing, *who, status=USAGE)                             # no anchor
    two.ccr("--subject", "CN=Test Root CA", "--validity", "1d", "--trust", two.upper.root, "--issuer", "CN=Test Issuing CA", *who, status=REFUSED)   # a name of theirs
    url = f"http://127.0.0.1:{two.upper.cmp_port}"
    for label in ("", "manual"):
        done = run_program(ESTUARY, "cmp", "ccr", url, *(["--name", label] if label else []), "--key", two.lower.dir / "ca/issuing.key", *two.usual(), *who,
                           "--out", tmp / "none.pem", check=False)
        check_equal(done.returncode, REFUSED, done.err)
    # The secret for CAs gets nothing else, and no other request a CA (bug classes 1, 4).
    for command in ("ir", "cr"):
        done = run_program(ESTUARY, "cmp", command, url, "--name", "cross", *who, "--subject", "CN=dev", "--out", tmp / command, check=False)
        check_equal(done.returncode, REFUSED, done.err)
        done = run_program(ESTUARY, "cmp", command, url, "--name", "cross", *who, "--profile", "sub-ca", "--subject", "CN=dev", "--out", tmp / command, check=False)
        check_equal(done.returncode, REFUSED, done.err)
    run_program("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=evil", "-keyout", tmp / "evil.key", "-out",
                tmp / "evil.csr", "-addext", "basicConstraints=critical,CA:TRUE")
    for label, options in ((".well-known/cmp/p/cross", mac(two.upper, "p10", "--profile", "sub-ca")), (".well-known/cmp", mac(two.upper, "usual"))):
        done = two.upper.cmp("p10cr", *options, "-csr", tmp / "evil.csr", "-certout", tmp / "evil.pem", path=label, check=False)
        assert done.returncode != 0 and not (tmp / "evil.pem").exists(), done.out
    check_equal(json.loads(two.upper.admin("request", "list", "--json").out), [])
    check_equal(json.loads(two.upper.admin("cert", "list", "--subject", "CN=Other", "--json").out), [])

    two.ccr(*two.usual(), *who, "--wait", "0", status=PENDING)
    two.decide("deny", "--reason", "not this one")
    check_in("not this one", two.ccr(*two.usual(), *who, status=REFUSED).err)
    assert not (two.lower.dir / "by-upper.pem").exists()


@with_two
def test_what_leads_elsewhere_is_rejected(two, tmp):
    """The requester looks before it confirms: what does not lead to its anchor is revoked there (RFC 9810 D.6)."""
    who = two.login()
    wrong = ["--certify", two.lower.issuing, "--trust", two.lower.root, "--issuer", "CN=Test Issuing CA"]
    two.ccr(*wrong, *who, "--wait", "0", status=PENDING)
    two.decide("approve")
    two.ccr(*wrong, *who, status=NOT_TRUSTED)
    assert not (two.lower.dir / "by-upper.pem").exists()
    check_in("revoked", two.upper.admin("cert", "list", "--subject", "CN=Other Issuing CA").out)


@with_two
def test_profiles_for_cas_are_checked(two, tmp):
    """`estuaryd check` refuses what could not hold (bug classes 4, 7)."""
    text = two.upper.config.read_text()
    for old, new, told in (('manual_approval = true\npoll_interval = "1s"\nvalidity', 'poll_interval = "1s"\nvalidity', "a person's decision"),
                           ("[est.label.default]", '[est.label.x]\nprofile = "sub-ca"\n[est.label.default]', "is for CAs"),
                           ('profile = "device"\nenroll = ["secret", "certificate"]\ncross', 'profile = "sub-ca"\nenroll = ["secret", "certificate"]\ncross', "is for CAs"),
                           ('path_length = 0\nmanual', 'path_length = 99\nmanual', "0 to 16"),
                           ('cross_certification = "sub-ca"', 'cross_certification = "device"', "end entities")):
        check_in(old, text)
        two.upper.config.write_text(text.replace(old, new, 1))
        done = two.upper.admin("check", check=False)
        assert done.returncode != 0, new
        check_in(told, done.err)


if __name__ == "__main__":
    run(globals())
