"""A registration authority in front of a CA, both estuaryd: clients of CMP (openssl) and EST (curl) ask the one, the other issues."""
import json
import shutil

from harness_cmp import *  # noqa: F403

CA_LABELS = """
[cmp.label.devices]
profile = "device"
more_profiles = ["ra", "slow"]
enroll = ["secret", "registration authority"]
confirm_wait = "1h"

[profile.ra]
ca = "issuing"
key_types = ["p256"]
key_usage = ["digitalSignature"]
ext_key_usage = ["cmcRA"]
[profile.ra.subject]
allowed = ["CN"]

[profile.slow]
ca = "issuing"
key_types = ["p256"]
manual_approval = true
poll_interval = "4s"
[profile.slow.subject]
allowed = ["CN"]
"""

RA_CONFIGURATION = """
[ca.above]
certificate = "above/issuing.pem"
chain = "above/root.pem"
[ca.above.upstream]
url = "http://127.0.0.1:{port}"
name = "devices"
certificate = "ra/cert.pem"
key = "ra/key.pem"
timeout = "5s"
{upstream}

[profile.above]
ca = "above"
key_types = ["p256"]
key_usage = ["digitalSignature"]
[profile.above.subject]
allowed = ["CN"]
[profile.above.san]
allowed = ["dns"]

[est.label.above]
profile = "above"
enroll = ["basic"]
renew = ["certificate"]

[cmp.label.above]
profile = "above"
enroll = ["secret", "certificate"]

[cmp.label.confirmed]
profile = "above"
enroll = ["secret"]
implicit_confirm = false
confirm_wait = "1s"

[cmp.label.unchanged]
profile = "above"
forward = "unchanged"

[cmp.label.nested]
profile = "above"
enroll = ["secret"]
forward = "nested"

[cmp.label.replaced]
profile = "above"
enroll = ["secret"]
forward = "replaced"

[cmp.label.batched]
profile = "above"
enroll = ["secret"]
forward = "replaced"
batch_max = 8
batch_linger_ms = 1000

[cmp.label.batched-unchanged]
profile = "above"
forward = "unchanged"
batch_max = 8
"""


class Two:
    """The CA and the registration authority."""

    def __init__(self, tmp, upstream=""):
        self.ca = CmpServer(tmp / "ca", CA_LABELS).start()
        (tmp / "secret").write_text(self.ca.secret("ra", "--profile", "ra"))
        run_program(ESTUARY, "cmp", "ir", f"http://127.0.0.1:{self.ca.cmp_port}", "--name", "devices", "--user", "ra", "--password-file",
                    tmp / "secret", "--profile", "ra", "--subject", "CN=RA", "--trust", self.ca.root, "--out", tmp / "identity")
        self.ra = CmpServer(tmp / "front", RA_CONFIGURATION.format(port=self.ca.cmp_port, upstream=upstream))
        above, own = self.ra.dir / "above", self.ra.dir / "ra"
        above.mkdir()
        own.mkdir()
        shutil.copy(self.ca.issuing, above)
        shutil.copy(self.ca.root, above)
        shutil.copy(tmp / "identity/cert.pem", own / "cert.pem")
        shutil.copy(tmp / "identity/key.pem", own / "key.pem")
        self.ra.start()

    def stop(self):
        self.ra.stop()
        self.ca.stop()

    def verify(self, certificate):
        verify(self.ca, certificate)

    def listed(self, server, *options):
        return [one for one in json.loads(server.admin("cert", "list", "--json").out) if "CN=dev" in one["subject"]]

    def trusting(self):
        return ["-trusted", self.ca.root, "-untrusted", self.ca.issuing]

    def est(self, operation, der, *options):
        """Status and, of a certificate, its file."""
        return self.ra.post(f"above/{operation}", der, *options)


def with_two(test):
    def run_it(tmp):
        two = None
        try:
            two = Two(tmp, getattr(test, "upstream", ""))
            test(two, tmp)
        except Exception:
            for server in filter(None, [two and two.ra, two and two.ca]):
                print("-- a server's log --\n" + server.log()[-5000:])
            raise
        finally:
            if two:
                two.stop()
    run_it.__doc__ = test.__doc__
    return run_it


def waiting_above(test):
    test.upstream = 'profile = "slow"'
    return test


def basic(two, name, *options):
    return ["-u", f"{name}:{two.ra.credential(name, '--profile', 'above', *options)}"]


def mac_here(two, name, *options):
    return mac(two.ra, name, "--profile", "above", *options)


def enrolled_by_est(two, tmp, name="dev"):
    der = make_request(tmp, f"/CN={name}", name=name)
    reply = two.est("simpleenroll", der, *basic(two, name))
    check_equal(reply.status, 200, reply)
    (tmp / f"{name}.pem").write_text(reply.certificates())
    two.verify(tmp / f"{name}.pem")
    return der


@with_two
def test_what_comes_by_est_goes_out_by_cmp(two, tmp):
    enrolled_by_est(two, tmp)
    check_equal([len(two.listed(server)) for server in (two.ra, two.ca)], [1, 1], "recorded here and there")
    check_equal(two.listed(two.ra)[0]["serial"], two.listed(two.ca)[0]["serial"])
    # RFC 7030 4.1.3: what is told of the CA is what clients need.
    cacerts = two.ra.curl("above/cacerts").certificates()
    check_in("Test Issuing CA", cacerts)
    # Commands beside the server put up with a CA without a key.
    two.ra.admin("check")
    assert "above" not in two.ra.admin("crl", "publish").out
    two.ra.reload()


@with_two
def test_the_authoritys_own_certificate_must_sign(two, tmp):
    """Told by check, not by the first request that would have to be signed with it."""
    own = two.ra.dir / "ra"
    for usage, purpose, words in (("keyAgreement", "1.3.6.1.5.5.7.3.28", "is none that signs"), ("digitalSignature", "clientAuth", "lacks id-kp-cmcRA")):
        run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=RA", "-keyout",
                    own / "key.pem", "-out", own / "cert.pem", "-addext", f"keyUsage=critical,{usage}", "-addext", f"extendedKeyUsage={purpose}")
        done = two.ra.admin("check", check=False)
        assert done.returncode != 0, done.err
        check_in(words, done.err)


@with_two
def test_reenrollment_through_the_registration_authority(two, tmp):
    enrolled_by_est(two, tmp)
    der = make_request(tmp, "/CN=dev", name="next")
    reply = two.est("simplereenroll", der, "--cert", tmp / "dev.pem", "--key", tmp / "dev.key")
    check_equal(reply.status, 200, reply)
    check_equal(len(two.listed(two.ca)), 2)
    # bug class 8: other names are refused here, and nothing is asked above.
    reply = two.est("simplereenroll", make_request(tmp, "/CN=dev2", name="other"), "--cert", tmp / "dev.pem", "--key", tmp / "dev.key")
    assert reply.status in (400, 403), reply
    check_equal(len(two.listed(two.ca)), 2)


@with_two
def test_the_same_request_again_gets_the_same_certificate(two, tmp):
    """bug class 25: and the CA above is not asked twice."""
    der = make_request(tmp, "/CN=dev")
    login = basic(two, "dev", "--uses", "1")
    first, second = two.est("simpleenroll", der, *login), two.est("simpleenroll", der, *login)
    check_equal([first.status, second.status], [200, 200])
    check_equal(first.certificates(), second.certificates())
    check_equal(len(two.listed(two.ca)), 1)
    reply = two.est("simpleenroll", make_request(tmp, "/CN=dev", name="other"), *login)
    check_equal(reply.status, 401, "a secret for one certificate")


@with_two
def test_policy_is_here_too(two, tmp):
    """bug classes 3 and 4: what this server would not give goes nowhere."""
    login = basic(two, "dev", "--subject", "CN=dev")
    check_equal(two.est("simpleenroll", make_request(tmp, "/CN=other", name="other"), *login).status, 403)
    reply = two.est("simpleenroll", make_request(tmp, "/CN=dev/O=Evil", name="evil"), *login)
    assert reply.status >= 400 or "Evil" not in reply.certificates(), reply
    check_equal(len([one for one in two.listed(two.ca) if "Evil" in one["subject"]]), 0)


@with_two
def test_a_request_that_has_to_be_changed_is_vouched_for(two, tmp):
    """A request with more than the profile gives goes out as its remains with raVerified (RFC 9483 5.2.3.2)."""
    der = make_request(tmp, "/CN=dev", extra=["-addext", "keyUsage=digitalSignature,keyEncipherment", "-addext", "subjectAltName=DNS:dev.example"])
    reply = two.est("simpleenroll", der, *basic(two, "dev"))
    check_equal(reply.status, 200, reply)
    (tmp / "dev.pem").write_text(reply.certificates())
    text = certificate_text(tmp / "dev.pem")
    check_in("DNS:dev.example", text)
    assert "Key Encipherment" not in text


@with_two
def test_cmp_on_both_sides(two, tmp):
    key = new_key(tmp, "dev")
    path = ".well-known/cmp/p/above"
    two.ra.cmp("ir", *mac_here(two, "dev"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", path=path)
    two.verify(tmp / "dev.pem")
    have = ["-cert", tmp / "dev.pem", "-key", key, *two.trusting()]
    two.ra.cmp("kur", *have, "-newkey", new_key(tmp, "next"), "-certout", tmp / "next.pem", path=path)
    two.verify(tmp / "next.pem")
    two.ra.cmp("rr", "-cert", tmp / "next.pem", "-key", tmp / "next.key", *two.trusting(), "-oldcert", tmp / "next.pem", "-revreason", "1", path=path)
    for server in (two.ra, two.ca):
        states = sorted(one["status"] for one in two.listed(server))
        check_equal(states, ["revoked", "valid"], server.dir)
    make_request(tmp, "/CN=dev", name="p10")
    two.ra.cmp("p10cr", *mac_here(two, "p10"), "-csr", tmp / "p10.der", "-certout", tmp / "p10.pem", path=path)
    two.verify(tmp / "p10.pem")


@with_two
def test_an_operators_revocation_reaches_the_ca_above(two, tmp):
    enrolled_by_est(two, tmp)
    serial = two.listed(two.ra)[0]["serial"]
    two.ra.admin("cert", "revoke", serial, "--ca", "above", "--reason", "superseded")
    check_equal(two.listed(two.ca)[0]["status"], "revoked")
    # bug class 6: what is revoked renews nothing.
    reply = two.est("simplereenroll", make_request(tmp, "/CN=dev", name="next"), "--cert", tmp / "dev.pem", "--key", tmp / "dev.key")
    assert reply.status in (401, 403), reply


@with_two
def test_rejected_and_unconfirmed_certificates_are_revoked_above(two, tmp):
    """bug class 27."""
    key, path = new_key(tmp, "dev"), ".well-known/cmp/p/confirmed"
    two.ra.cmp("ir", *mac_here(two, "a"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", "-out_trusted", two.ra.root, path=path,
               check=False)
    check_equal([one["status"] for one in two.listed(two.ca)], ["revoked"], "rejected by certConf")
    two.ra.cmp("ir", *mac_here(two, "b"), "-newkey", key, "-subject", "/CN=dev2", "-certout", tmp / "dev.pem", "-disable_confirm", path=path)

    def revoked_at_start():
        two.ra.stop()
        two.ra.start()
        return [one["status"] for one in two.listed(two.ca)] == ["revoked", "revoked"]
    wait_for(revoked_at_start, 20, "the revocation of what was not confirmed")


@with_two
def test_nobody_above(two, tmp):
    """RFC 9483 5.2: what goes wrong above is told as systemUnavail; it goes on when the CA is back."""
    der, login = make_request(tmp, "/CN=dev"), basic(two, "dev", "--uses", "1")
    two.ca.stop()
    reply = two.est("simpleenroll", der, *login)
    check_equal(reply.status, 503, reply)
    done = two.ra.cmp("ir", *mac_here(two, "cmp"), "-newkey", new_key(tmp, "cmp"), "-subject", "/CN=dev", "-certout", tmp / "cmp.pem",
                      path=".well-known/cmp/p/above", check=False)
    check_in("systemUnavail", done.err + done.out)
    two.ra.stop()
    two.ra.start()
    two.ca.start()
    reply = two.est("simpleenroll", der, *login)
    check_equal(reply.status, 200, reply)
    check_equal(len(two.listed(two.ca)), 1)


@with_two
@waiting_above
def test_waiting_for_a_person_above(two, tmp):
    """What waits above waits here, over restarts of both (RFC 9483 4.4): with EST and with CMP."""
    der, login = make_request(tmp, "/CN=dev"), basic(two, "dev", "--uses", "1")
    reply = two.est("simpleenroll", der, *login)
    check_equal(reply.status, 202, reply)
    assert int(reply.headers["retry-after"]) >= 1
    client = OpensslThatWaits(two.ra, ".well-known/cmp/p/above", "-cmd", "ir", *mac_here(two, "cmp"), "-newkey", new_key(tmp, "cmp"), "-subject",
                              "/CN=dev by cmp", "-certout", tmp / "cmp.pem")
    waiting = lambda: json.loads(two.ca.admin("request", "list", "--json").out)  # noqa: E731
    client.asleep()
    check_equal(len(waiting()), 2, "the requests above")
    two.ra.stop()
    two.ca.stop()
    two.ca.start()
    two.ra.start()
    check_equal(two.est("simpleenroll", der, *login).status, 202, "still")
    for one in waiting():
        two.ca.admin("request", "approve", str(one["id"]))

    def there():
        reply = two.est("simpleenroll", der, *login)
        if reply.status == 200:
            (tmp / "dev.pem").write_text(reply.certificates())
        return reply.status == 200
    wait_for(there, 20, "the certificate")
    two.verify(tmp / "dev.pem")
    client.end()
    two.verify(tmp / "cmp.pem")
    check_equal(len(two.listed(two.ca)), 2)


@with_two
def test_messages_forwarded_unchanged(two, tmp):
    """RFC 9483 5.2.1: the secret is known above only; protection is between the two ends."""
    path = ".well-known/cmp/p/unchanged"
    key = new_key(tmp, "dev")
    two.ra.cmp("ir", *mac(two.ca, "dev"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", path=path)
    two.verify(tmp / "dev.pem")
    have = ["-cert", tmp / "dev.pem", "-key", key, *two.trusting()]
    two.ra.cmp("kur", *have, "-newkey", new_key(tmp, "next"), "-certout", tmp / "next.pem", path=path)
    two.ra.cmp("genm", *have, "-infotype", "signKeyPairTypes", path=path)
    two.ra.cmp("rr", "-cert", tmp / "next.pem", "-key", tmp / "next.key", *two.trusting(), "-oldcert", tmp / "next.pem", path=path)
    check_equal(len(two.listed(two.ra)), 0, "nothing is recorded here")
    check_equal(sorted(one["status"] for one in two.listed(two.ca)), ["revoked", "valid"])
    done = two.ra.cmp("ir", "-ref", "dev", "-secret", "pass:wrong", "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "x.pem",
                      "-unprotected_errors", path=path, check=False)
    check_in("badMessageCheck", done.err + done.out, "the CA's own refusal")


@with_two
def test_a_mac_is_replaced_by_a_signature(two, tmp):
    """RFC 9483 5.2.3: the secret is known here only; the client gets answers with a MAC, the CA above signed requests."""
    path, key = ".well-known/cmp/p/replaced", new_key(tmp, "dev")
    for options in (["-implicit_confirm"], []):
        two.ra.cmp("ir", *mac_here(two, f"dev{len(options)}"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", *options, path=path)
        two.verify(tmp / "dev.pem")
    assert all("certificate:issuing/" in one["requester"] for one in two.listed(two.ca)), two.listed(two.ca)
    # What is the holder's own goes on as it is.
    two.ra.cmp("kur", "-cert", tmp / "dev.pem", "-key", key, *two.trusting(), "-newkey", new_key(tmp, "next"), "-certout", tmp / "next.pem", path=path)
    # Policy here refuses, and so does the wrong secret; nothing goes above.
    count = len(two.listed(two.ca))
    done = two.ra.cmp("ir", *mac_here(two, "bound", "--subject", "CN=bound"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "x.pem",
                      path=path, check=False)
    check_in("notAuthorized", done.err + done.out)
    done = two.ra.cmp("ir", "-ref", "dev0", "-secret", "pass:wrong", "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "x.pem",
                      "-unprotected_errors", path=path, check=False)
    check_in("badMessageCheck", done.err + done.out)
    check_equal(len(two.listed(two.ca)), count)
    once = mac_here(two, "once", "--uses", "1")
    two.ra.cmp("ir", *once, "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "x.pem", "-reqout", tmp / "ir.der", "-implicit_confirm", path=path)
    done = two.ra.cmp("ir", *once, "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "y.pem", path=path, check=False)
    check_in("notAuthorized", done.err + done.out, "a secret for one certificate")
    # bug class 25: the same octets again are not another use, and get the same certificate.
    again = run_program(need("curl"), "-sS", "-H", "Content-Type: application/pkixcmp", "--data-binary", f"@{tmp / 'ir.der'}",
                        f"http://127.0.0.1:{two.ra.cmp_port}/{path}").stdout
    serial = run_program("openssl", "x509", "-in", tmp / "x.pem", "-noout", "-serial").out.strip().partition("=")[2]
    assert bytes.fromhex(serial) in again
    check_equal(len(two.listed(two.ca)), count + 1)
    two.ca.stop()
    done = two.ra.cmp("ir", *mac_here(two, "late"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "x.pem", path=path, check=False)
    check_in("systemUnavail", done.err + done.out)


@with_two
def test_approved_messages_are_nested(two, tmp):
    """RFC 9483 5.2.2.1: the MAC is of a secret that both know; the registration authority signs around it."""
    path, key = ".well-known/cmp/p/nested", new_key(tmp, "dev")
    for server, profile in ((two.ca, "device"), (two.ra, "above")):
        (tmp / "shared").touch(mode=0o600)
        (tmp / "shared").write_text("a secret that both of them know")
        server.admin("credential", "add", "dev", "--type", "cmp", "--quiet", "--profile", profile, "--password-file", tmp / "shared")
    two.ra.cmp("ir", "-ref", "dev", "-secret", f"file:{tmp / 'shared'}", "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", path=path)
    two.verify(tmp / "dev.pem")
    assert "certificate:issuing/" in two.listed(two.ca)[0]["requester"], two.listed(two.ca)


@with_two
def test_a_request_is_changed_on_its_way(two, tmp):
    """RFC 9483 5.2.3.2: raVerified, with what was asked for in origPKIMessage."""
    path, key = ".well-known/cmp/p/replaced", new_key(tmp, "dev")
    (tmp / "more.cnf").write_text("[cmp]\n[more]\nkeyUsage = digitalSignature, keyEncipherment\n")
    more = ["-config", tmp / "more.cnf", "-reqexts", "more", "-days", "20000"]
    for options in (["-implicit_confirm"], []):
        two.ra.cmp("ir", *mac_here(two, f"dev{len(options)}"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "dev.pem", *options, *more, path=path)
        two.verify(tmp / "dev.pem")
        text = certificate_text(tmp / "dev.pem")
        check_in("Digital Signature", text)
        assert "Key Encipherment" not in text
    assert all("certificate:issuing/" in one["requester"] for one in two.listed(two.ca)), two.listed(two.ca)
    check_in("cmp message replaced by a registration authority", two.ca.log())
    # What is nested cannot be changed, nor can a PKCS #10 request.
    count = len(two.listed(two.ca))
    done = two.ra.cmp("ir", *mac_here(two, "n"), "-newkey", key, "-subject", "/CN=dev", "-certout", tmp / "x.pem", *more,
                      path=".well-known/cmp/p/nested", check=False)
    check_in("badCertTemplate", done.err + done.out)
    make_request(tmp, "/CN=dev", name="p10", extra=["-addext", "keyUsage=digitalSignature,keyEncipherment"])
    done = two.ra.cmp("p10cr", *mac_here(two, "p10"), "-csr", tmp / "p10.der", "-certout", tmp / "x.pem", path=path, check=False)
    check_in("badCertTemplate", done.err + done.out)
    check_equal(len(two.listed(two.ca)), count)


def batches(two):
    """How many messages went in each."""
    return [int(line.rpartition("messages=")[2].split()[0]) for line in two.ra.log().splitlines() if '"cmp batch"' in line or "cmp batch" in line]


def start_openssl(two, tmp, name, path, secret):
    key = new_key(tmp, name)
    return subprocess.Popen(["openssl", "cmp", "-cmd", "ir", "-server", f"http://127.0.0.1:{two.ra.cmp_port}/{path}", "-recipient", "/CN=Test Issuing CA",
                             *secret, "-newkey", str(key), "-subject", f"/CN={name}", "-certout", str(tmp / f"{name}.pem"), "-reqout",
                             f"{tmp / name}.ir,{tmp / name}.conf", "-total_timeout", "60"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def arrived(server, count):
    """Whether so many connections to the listener of CMP are open."""
    own = f"0100007F:{server.cmp_port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(1 for line in lines if line.split()[1] == own and line.split()[3] == "01") >= count


@with_two
def test_concurrent_requests_go_up_in_batches(two, tmp):
    """RFC 9483 5.2.2.2: what comes while the CA above is at work goes up in one nested message."""
    path = ".well-known/cmp/p/batched"
    two.ra.cmp("ir", *mac_here(two, "alone"), "-newkey", new_key(tmp, "dev"), "-subject", "/CN=dev", "-certout", tmp / "dev.pem", path=path)
    check_equal(batches(two), [], "who is alone goes alone")
    names = [f"dev{i}" for i in range(7)]
    secrets = {name: mac_here(two, name) for name in names}
    two.ca.process.send_signal(signal.SIGSTOP)
    clients = [start_openssl(two, tmp, name, path, secrets[name]) for name in names]
    wait_for(lambda: arrived(two.ra, len(names)), 20, "the clients")
    wait_for(lambda: sum(batches(two)) > 0, 20, "a batch")
    two.ca.process.send_signal(signal.SIGCONT)
    for name, client in zip(names, clients):
        said = client.communicate(timeout=60)[0]
        check_equal(client.returncode, 0, said)
        two.verify(tmp / f"{name}.pem")
        check_in(f"CN={name}", certificate_text(tmp / f"{name}.pem").replace(" = ", "="))   # as OpenSSL 3.2 and later write it
    assert max(batches(two)) > 1, batches(two)
    check_equal(len(two.listed(two.ca)), len(names) + 1)
    # One that is refused above, by the CA's own error, and one that is not.
    done = two.ra.cmp("ir", "-ref", "none", "-secret", "pass:wrong", "-newkey", tmp / "dev.key", "-subject", "/CN=dev", "-certout", tmp / "x.pem",
                      "-unprotected_errors", path=".well-known/cmp/p/batched-unchanged", check=False)
    check_in("badMessageCheck", done.err + done.out)


@with_two
def test_a_batch_that_is_lost(two, tmp):
    """bug class 25: the registration authority is killed while its batch is above; the same messages again get the same certificates."""
    path = ".well-known/cmp/p/batched"
    names = ["dev1", "dev2", "dev3"]
    secrets = {name: mac_here(two, name, "--uses", "1") for name in names}
    two.ca.process.send_signal(signal.SIGSTOP)
    clients = [start_openssl(two, tmp, name, path, secrets[name]) for name in names]
    wait_for(lambda: sum(batches(two)) > 0, 20, "a batch")
    two.ra.stop(signal.SIGKILL)
    two.ca.process.send_signal(signal.SIGCONT)
    for client in clients:
        client.communicate(timeout=60)
        assert client.returncode != 0
    two.ra.start()
    post = lambda name: run_program(need("curl"), "-sS", "-H", "Content-Type: application/pkixcmp", "--data-binary", f"@{tmp / name}.ir",  # noqa: E731
                                    f"http://127.0.0.1:{two.ra.cmp_port}/{path}").stdout
    answers = [post(name) for name in names]
    issued = two.listed(two.ca)
    check_equal(sorted(one["subject"] for one in issued), [f"CN={name}" for name in names], "one for each")
    for name, answer in zip(names, answers):
        serial = next(one["serial"] for one in issued if one["subject"] == f"CN={name}")
        assert bytes.fromhex(serial) in answer, name
    # And it stops in good order while messages gather.
    check_equal(two.ra.stop(), 0)
    two.ra.start()


@with_two
def test_files_go_up_together(two, tmp):
    """RFC 9483 6.4 and 5.2.2.2: what was carried here in files."""
    names = ["dev1", "dev2", "dev3"]
    for name in names:
        (tmp / f"{name}.secret").write_text(two.ra.secret(name, "--profile", "above"))
        run_program(ESTUARY, "cmp", "ir", f"http://127.0.0.1:{two.ra.cmp_port}", "--name", "batched", "--user", name, "--password-file", tmp / f"{name}.secret",
                    "--subject", f"CN={name}", "--trust", two.ca.root, "--out", tmp / name, "--request-out", tmp / f"{name}.pki", check=False)
        assert (tmp / f"{name}.pki").exists(), name
    (tmp / "bad.pki").write_bytes(b"0")
    done = two.ra.admin("cmp", "--label", "batched", *[tmp / f"{name}.pki" for name in names], tmp / "bad.pki", check=False)
    assert done.returncode != 0
    check_in("bad.pki holds no PKIMessage", done.err)
    check_in("messages=3", done.err)
    for name in names:
        run_program(ESTUARY, "cmp", "ir", f"http://127.0.0.1:{two.ra.cmp_port}", "--name", "batched", "--user", name, "--password-file", tmp / f"{name}.secret",
                    "--subject", f"CN={name}", "--trust", two.ca.root, "--out", tmp / name, "--answer", tmp / f"{name}.answer.pki")
        two.verify(tmp / name / "cert.pem")
    check_equal(len(two.listed(two.ca)), len(names))


if __name__ == "__main__":
    run(globals())
