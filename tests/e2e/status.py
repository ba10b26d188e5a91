"""Revocation as relying parties see it: CRLs and OCSP, read by openssl, curl and strongSwan's pki."""
import base64
import json
import shutil
import urllib.parse
from datetime import datetime, timezone

from harness import *  # noqa: F403


def enroll(server, tmp, name="dev", password=None, path="simpleenroll"):
    """A device certificate by EST; its file and its serial number."""
    password = password or server.credential(name, "--uses", "9")
    reply = server.post(path, make_request(tmp, f"/CN={name}", name=name), "--user", f"{name}:{password}")
    check_equal(reply.status, 200, reply)
    file = tmp / f"{name}.pem"
    file.write_text(reply.certificates())
    serial = run_program("openssl", "x509", "-in", file, "-noout", "-serial").out.strip().split("=")[1]
    return file, serial.lower().lstrip("0")


def fetch(server, path, *options, check=True):
    done = run_program(need("curl"), "-sS", "-i", "--path-as-is", *options, server.status_url + path, check=check)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    reply = Reply.parse(head + b"\r\n\r\n")
    reply.octets = body
    return reply


def crl(server, name="issuing-0.crl") -> bytes:
    reply = fetch(server, "/crl/" + name)
    check_equal(reply.status, 200, name)
    return reply.octets


def root_crl(server) -> bytes:
    """The root's list, from where the issuing CA's certificate says."""
    uri = re.search(r"URI:(\S+\.crl)", certificate_text(server.issuing)).group(1)
    check_in(server.status_url + "/crl/root-", uri)
    return crl(server, uri.rpartition("/")[2])


def crl_text(der: bytes) -> str:
    return run_program("openssl", "crl", "-inform", "DER", "-noout", "-text", stdin=der).out


def crl_number(der: bytes) -> int:
    return int(run_program("openssl", "crl", "-inform", "DER", "-noout", "-crlnumber", stdin=der).out.split("=0x")[1], 16)


def listed(der: bytes, serial: str) -> bool:
    return serial in crl_text(der).lower()


def ocsp(server, *options, issuer=None, check=True):
    return run_program("openssl", "ocsp", "-url", server.status_url + "/ocsp", "-issuer", issuer or server.issuing, "-CAfile", server.root,
                       *options, check=check)


def ocsp_request(server, tmp, *options) -> bytes:
    run_program("openssl", "ocsp", "-issuer", server.issuing, "-reqout", tmp / "ocsp.req", *options)
    return (tmp / "ocsp.req").read_bytes()


def post_ocsp(server, tmp, der: bytes):
    (tmp / "post.der").write_bytes(der)
    return fetch(server, "/ocsp", "-H", "Content-Type: application/ocsp-request", "--data-binary", f"@{tmp / 'post.der'}")


def get_path(der: bytes) -> str:
    return "/ocsp/" + urllib.parse.quote(base64.b64encode(der).decode(), safe="")


def configure(server, text, replacement):
    content = server.config.read_text()
    check_in(text, content)
    server.config.write_text(content.replace(text, replacement, 1))


def started(tmp, *changes):
    server = Server(tmp / "data")
    for text, replacement in changes:
        configure(server, text, replacement)
    server.start()
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200, what="the first CRL")
    return server


class Serving:
    """A server that is stopped also when the test fails."""

    def __init__(self, tmp, *changes):
        self.server = started(tmp, *changes)

    def __enter__(self):
        return self.server

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.server.log()[-4000:])
        if self.server.process is not None:
            self.server.process.kill()
            self.server.process.wait()


DELTAS = ("#deltas = true ", "deltas = true ")
SHARDS = ("#shards = 16 ", "shards = 4 ")


def test_certificates_name_their_status(server, tmp):
    text = certificate_text(enroll(server, tmp)[0])
    for uri in ("/crl/issuing-0.crl", "/ocsp", "/ca/issuing.cer"):
        check_in(server.status_url + uri, text)
    issuer = fetch(server, "/ca/issuing.cer")
    check_equal(issuer.headers["content-type"], "application/pkix-cert")
    check_equal(issuer.octets, run_program("openssl", "x509", "-in", server.issuing, "-outform", "DER").stdout)


def test_openssl_ocsp_good_revoked_unknown(server, tmp):
    good, _ = enroll(server, tmp, "good")
    bad, serial = enroll(server, tmp, "bad")
    server.admin("cert", "revoke", serial, "--reason", "keyCompromise")
    done = ocsp(server, "-cert", good, "-cert", bad, "-serial", "0x123456")
    check_in("Response verify OK", done.err)
    check_in(f"{good}: good", done.out)
    check_in(f"{bad}: revoked", done.out)
    check_in("Reason: keyCompromise", done.out)
    check_in("0x123456: unknown", done.out)
    assert "nonce" not in done.err, "the nonce comes back: " + done.err
    text = ocsp(server, "-cert", good, "-resp_text").out
    check_in("Responder Id: ", text)
    check_in("OCSP Nonce", text)
    check_in("OCSP Signing", text)


def test_never_issued_may_be_revoked_and_expired_are_remembered(tmp):
    """RFC 6960 2.2, 4.4.4, 4.4.8, as openssl shows them; and the default: unknown."""
    with Serving(tmp, ("[status]\n", '[status]\nnever_issued = "revoked"\narchive = "365d"\n')) as server:
        good, _ = enroll(server, tmp, "good")
        text = ocsp(server, "-cert", good, "-resp_text").out
        check_in(f"{good}: good", text)
        cutoff = datetime.strptime(re.search(r"Archive Cutoff: *\n? *(.*) GMT", text).group(1).strip(), "%b %d %H:%M:%S %Y")
        days = (datetime.now(timezone.utc).replace(tzinfo=None) - cutoff).total_seconds() / 86400
        assert 364.9 < days < 365.1, days
        extended_revoke = r"(?m)^ +valid: *$"  # OpenSSL's name of id-pkix-ocsp 9
        assert not re.search(extended_revoke, text), text
        text = ocsp(server, "-serial", "0x123456", "-resp_text").out
        check_in("0x123456: revoked", text)
        check_in("Revocation Time: Jan  1 00:00:00 1970", text)
        check_in("certificateHold", text)
        assert re.search(extended_revoke, text), text


def test_ocsp_by_get_is_cacheable(server, tmp):
    file, serial = enroll(server, tmp)
    path = get_path(ocsp_request(server, tmp, "-no_nonce", "-cert", file))
    reply = fetch(server, path)
    check_equal(reply.status, 200)
    check_equal(reply.headers["content-type"], "application/ocsp-response")
    check_in("max-age=", reply.headers["cache-control"])
    (tmp / "resp").write_bytes(reply.octets)
    check_in(": good", run_program("openssl", "ocsp", "-respin", tmp / "resp", "-issuer", server.issuing, "-cert", file, "-CAfile", server.root).out)
    again = fetch(server, path)
    check_equal(again.octets, reply.octets, "presigned")
    check_equal(fetch(server, path, "-H", f"If-None-Match: {reply.headers['etag']}").status, 304)
    server.admin("cert", "revoke", serial)
    start = time.monotonic()
    wait_for(lambda: fetch(server, path).octets != reply.octets, 2, "the presigned answer was forgotten")
    print(f"OCSP by GET told it after {time.monotonic() - start:.2f} s")
    (tmp / "resp").write_bytes(fetch(server, path).octets)
    check_in(": revoked", run_program("openssl", "ocsp", "-respin", tmp / "resp", "-issuer", server.issuing, "-cert", file, "-CAfile", server.root).out)


def test_crl_verifies_and_revokes(server, tmp):
    good, _ = enroll(server, tmp, "good")
    bad, serial = enroll(server, tmp, "bad")
    before = crl_number(crl(server))
    said = server.admin("cert", "revoke", serial, "--reason", "cessationOfOperation", "--invalidity-date", "2026-01-01").err
    for part in (server.status_url + "/crl/issuing-0.crl", server.status_url + "/ocsp", "may go by it until"):
        check_in(part, said)
    start = time.monotonic()
    wait_for(lambda: listed(crl(server), serial), 2, "the CRL has it")
    print(f"the CRL told it after {time.monotonic() - start:.2f} s")
    der = crl(server)
    assert crl_number(der) > before
    text = crl_text(der)
    check_in("Cessation Of Operation", text)
    check_in("Invalidity Date", text)
    verified = run_program("openssl", "crl", "-inform", "DER", "-noout", "-CAfile", server.issuing, stdin=der)
    check_in("verify OK", verified.err)
    (tmp / "crl.pem").write_text(run_program("openssl", "crl", "-inform", "DER", stdin=der).out)
    check = ["openssl", "verify", "-CAfile", server.root, "-untrusted", server.issuing, "-crl_check", "-CRLfile", tmp / "crl.pem"]
    run_program(*check, good)
    refused = run_program(*check, bad, check=False)
    check_in("certificate revoked", refused.out + refused.err)
    check_equal(json.loads(server.admin("cert", "show", serial, "--json").out)["revocation"]["invalidity_date"], "2026-01-01T00:00:00Z")


def test_caching_headers(server, tmp):
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    reply = fetch(server, "/crl/issuing-0.crl")
    check_equal(reply.headers["content-type"], "application/pkix-crl")
    for name in ("etag", "last-modified", "expires"):
        assert reply.headers[name], name
    age = int(re.search(r"max-age=(\d+)", reply.headers["cache-control"]).group(1))
    assert 86000 < age <= 86400, "until the next scheduled list"
    tag, date = reply.headers["etag"], reply.headers["last-modified"]
    check_equal(fetch(server, "/crl/issuing-0.crl", "-H", f"If-None-Match: W/{tag}").status, 304)
    check_equal(fetch(server, "/crl/issuing-0.crl", "-H", 'If-None-Match: "other"', "-H", f"If-Modified-Since: {date}").status, 200)
    check_equal(fetch(server, "/crl/issuing-0.crl", "-H", f"If-Modified-Since: {date}").status, 304)
    check_equal(fetch(server, "/crl/issuing-0.crl", "-H", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT").status, 200)
    check_equal(fetch(server, "/crl/issuing-0.crl", "-H", "If-Modified-Since: nonsense").status, 200)
    head = fetch(server, "/crl/issuing-0.crl", "-I")
    check_equal((head.status, head.headers["content-length"], head.octets), (200, str(len(reply.octets)), b""))
    check_equal(fetch(server, "/crl/issuing-0.crl", "-X", "DELETE").status, 405)


def test_nothing_else_is_served(server, tmp):
    for path in ("/", "/healthz", "/metrics", WELL_KNOWN + "/cacerts", WELL_KNOWN + "/simpleenroll", "/crl/", "/crl/none.crl",
                 "/crl/../estuary.toml", "/crl/..%2festuary.toml", "/crl/.issuing-0.crl.next", "/crl/../ocsp/issuing.key",
                 "/ca/issuing.key", "/ca/../ca/issuing.key", "/ocspx"):
        check_equal(fetch(server, path).status, 404, path)
    check_equal(server.curl("/crl/issuing-0.crl").status, 404, "and not on the TLS listener")


def test_hold_and_release(server, tmp):
    file, serial = enroll(server, tmp)
    server.admin("cert", "revoke", serial, "--reason", "certificateHold")
    check_in("revoked", ocsp(server, "-cert", file).out)
    wait_for(lambda: listed(crl(server), serial), 2)
    check_in("valid again", server.admin("cert", "release", serial).err)
    check_in(": good", ocsp(server, "-cert", file).out)
    wait_for(lambda: not listed(crl(server), serial), 3)
    check_equal(server.admin("cert", "release", serial, check=False).returncode, 3)
    server.admin("cert", "revoke", serial, "--reason", "superseded")
    check_equal(server.admin("cert", "release", serial, check=False).returncode, 3)


def test_deltas(tmp):
    with Serving(tmp, DELTAS) as server:
        early, early_serial = enroll(server, tmp, "early")
        server.admin("cert", "revoke", early_serial)
        server.admin("crl", "publish", "--complete")
        good, _ = enroll(server, tmp, "good")
        late, late_serial = enroll(server, tmp, "late")
        server.admin("cert", "revoke", late_serial, "--reason", "superseded")
        wait_for(lambda: listed(crl(server, "issuing-0-delta.crl"), late_serial), 2, "the delta has it")
        complete, delta = crl(server), crl(server, "issuing-0-delta.crl")
        assert listed(complete, early_serial) and not listed(complete, late_serial)
        assert not listed(delta, early_serial)
        check_in("Freshest CRL", crl_text(complete))
        check_in("Delta CRL Indicator: critical", crl_text(delta))
        lists = [complete, delta, root_crl(server)]
        (tmp / "lists.pem").write_text("".join(run_program("openssl", "crl", "-inform", "DER", stdin=der).out for der in lists))
        check = ["openssl", "verify", "-CAfile", server.root, "-untrusted", server.issuing, "-crl_check_all", "-use_deltas",
                 "-CRLfile", tmp / "lists.pem"]
        run_program(*check, good)
        for bad in (early, late):
            refused = run_program(*check, bad, check=False)
            check_in("certificate revoked", refused.out + refused.err)


def test_shards(tmp):
    with Serving(tmp, SHARDS) as server:
        wait_for(lambda: fetch(server, "/crl/issuing-3.crl").status == 200)
        password = server.credential("dev", "--uses", "20")
        file, serial = enroll(server, tmp, "dev", password)
        shard = re.search(r"issuing-(\d)\.crl", certificate_text(file)).group(1)
        numbers = [crl_number(crl(server, f"issuing-{n}.crl")) for n in range(4)]
        server.admin("cert", "revoke", serial)
        wait_for(lambda: listed(crl(server, f"issuing-{shard}.crl"), serial), 2)
        after = [crl_number(crl(server, f"issuing-{n}.crl")) for n in range(4)]
        check_equal([n for n in range(4) if after[n] != numbers[n]], [int(shard)], "only the shard that it concerns")
        check_in("Issuing Distribution Point: critical", crl_text(crl(server, f"issuing-{shard}.crl")))
        (tmp / "crl.pem").write_text("".join(run_program("openssl", "crl", "-inform", "DER", stdin=crl(server, f"issuing-{n}.crl")).out
                                             for n in range(4)))
        refused = run_program("openssl", "verify", "-CAfile", server.root, "-untrusted", server.issuing, "-crl_check", "-CRLfile",
                              tmp / "crl.pem", file, check=False)
        check_in("certificate revoked", refused.out + refused.err)
        rows = json.loads(server.admin("crl", "show", "--json").out)
        check_equal(sorted(row["shard"] for row in rows if row["ca"] == "issuing"), [0, 1, 2, 3])
        check_equal(len(rows), 5, "and the root's")
        check_equal({row["state"] for row in rows}, {"published"})


def test_strongswan_asks_online(server, tmp):
    pki = need("pki")
    good, _ = enroll(server, tmp, "good")
    bad, serial = enroll(server, tmp, "bad")
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    verify = [pki, "--verify", "--cacert", server.root, "--cacert", server.issuing, "--online", "--in"]
    done = run_program(*verify, good, check=False)
    if "unable to fetch" in done.out + done.err or "failed, no capable fetcher" in done.out + done.err:
        raise Skip("pki has no fetcher for http (libcurl plugin of strongSwan)")
    check_equal(done.returncode, 0, done.out + done.err)
    server.admin("cert", "revoke", serial)
    wait_for(lambda: listed(crl(server), serial))
    done = run_program(*verify, bad, check=False)
    assert done.returncode != 0 and "revoked" in done.out + done.err, done.out + done.err


def test_numbers_grow_and_revoked_stays_revoked(server, tmp):
    file, serial = enroll(server, tmp)
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    first = crl_number(crl(server))
    server.admin("cert", "revoke", serial)
    server.stop(signal.SIGKILL)  # perhaps before the list was made
    server.start()
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200 and listed(crl(server), serial), 2)
    check_in("revoked", ocsp(server, "-cert", file).out)
    second = crl_number(crl(server))
    assert second > first
    check_equal(server.stop(), 0)
    (server.dir / "crl/issuing-0.crl").unlink()
    server.start()
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    assert crl_number(crl(server)) > second, "the record, not the file, says which number comes next"
    assert listed(crl(server), serial)


def test_publish_beside_the_server_and_without_it(server, tmp):
    file, serial = enroll(server, tmp)
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    number = crl_number(crl(server))
    for _ in range(5):
        server.admin("crl", "publish")
    check_equal(crl_number(crl(server)), number + 5)
    server.stop()
    server.admin("cert", "revoke", serial)
    server.admin("crl", "publish", "--ca", "issuing", "--shard", "0")
    check_in(serial, crl_text((server.dir / "crl/issuing-0.crl").read_bytes()).lower())
    check_equal(server.admin("crl", "publish", "--shard", "7", check=False).returncode, 3)
    check_equal(server.admin("crl", "publish", "--ca", "none", check=False).returncode, 3)


def test_a_storm_is_coalesced(server, tmp):
    password = server.credential("dev", "--uses", "40")
    serials = [enroll(server, tmp, "dev", password)[1] for _ in range(12)]
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    number, start = crl_number(crl(server)), time.monotonic()
    for serial in serials:
        server.admin("cert", "revoke", serial)
    wait_for(lambda: all(serial in crl_text(crl(server)).lower() for serial in serials), 3)
    made, took = crl_number(crl(server)) - number, time.monotonic() - start
    assert made <= took + 2, f"{made} lists in {took:.1f} s"


def test_rollover_keeps_the_status_of_former_certificates(server, tmp):
    file, serial = enroll(server, tmp)
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    former = tmp / "former.pem"
    former.write_bytes(server.issuing.read_bytes())
    former_root = tmp / "former-root.pem"
    former_root.write_bytes(server.root.read_bytes())
    server.admin("ca", "rollover")
    server.reload()
    wait_for(lambda: fetch(server, "/crl/issuing.2-0.crl").status == 200, what="the new generation's list")
    # curl trusts the former root; the server presents the way to it
    server.admin("cert", "revoke", serial)
    wait_for(lambda: listed(crl(server), serial), 2, "the former generation's list has it")
    verified = run_program("openssl", "crl", "-inform", "DER", "-noout", "-CAfile", former, stdin=crl(server))
    check_in("verify OK", verified.err)
    done = run_program("openssl", "ocsp", "-url", server.status_url + "/ocsp", "-issuer", former, "-cert", file, "-CAfile", former_root)
    check_in("Response verify OK", done.err)
    check_in("revoked", done.out)
    # Serial numbers of the other generation are nobody's (RFC 6960 2.2), revoked or not.
    check_in(f"0x{serial}: unknown", ocsp(server, "-serial", "0x" + serial).out)
    newer = enroll(server, tmp, "newer")[1]
    check_in(f"0x{newer}: good", ocsp(server, "-serial", "0x" + newer).out)
    of_former = ["openssl", "ocsp", "-url", server.status_url + "/ocsp", "-issuer", former, "-CAfile", former_root, "-serial", "0x" + newer]
    check_in(f"0x{newer}: unknown", run_program(*of_former).out)
    server.admin("cert", "revoke", newer)
    wait_for(lambda: listed(crl(server, "issuing.2-0.crl"), newer), 2)
    check_in(f"0x{newer}: unknown", run_program(*of_former).out)


def fetched_issuers(tmp, certificate) -> list:
    """The certificates above one, fetched from where each says (authorityInfoAccess), up to one that says nothing."""
    files, at = [], certificate
    while found := re.search(r"CA Issuers - URI:(\S+)", certificate_text(at)):
        der = run_program(need("curl"), "-sSf", found.group(1)).stdout
        at = tmp / f"above-{len(files)}.pem"
        at.write_text(run_program("openssl", "x509", "-inform", "DER", stdin=der).out)
        files.append(at)
    return files


def verify_all(tmp, anchor, untrusted, certificate):
    """openssl's judgement of every certificate of the path, by the lists that these certificates name and no others."""
    options = [word for file in untrusted for word in ("-untrusted", file)]
    uris = {uri for file in (certificate, *untrusted) for uri in re.findall(r"URI:(\S+\.crl)", certificate_text(file))}
    lists = [run_program(need("curl"), "-sSf", uri).stdout for uri in sorted(uris)]
    (tmp / "named.pem").write_text("".join(run_program("openssl", "crl", "-inform", "DER", stdin=der).out for der in lists))
    done = run_program("openssl", "verify", "-CAfile", anchor, *options, "-crl_check_all", "-CRLfile", tmp / "named.pem", certificate, check=False)
    return done.returncode, done.out + done.err


def test_the_whole_path_by_what_the_certificates_point_to(server, tmp):
    good, _ = enroll(server, tmp, "good")
    bad, serial = enroll(server, tmp, "bad")
    wait_for(lambda: fetch(server, "/crl/issuing-0.crl").status == 200)
    above = fetched_issuers(tmp, good)
    check_equal([file.read_text() for file in above], [server.issuing.read_text(), server.root.read_text()])
    check_equal(verify_all(tmp, server.root, above[:1], good), (0, f"{good}: OK\n"))
    server.admin("cert", "revoke", serial)
    wait_for(lambda: listed(crl(server), serial), 2)
    status, said = verify_all(tmp, server.root, above[:1], bad)
    assert status != 0 and "certificate revoked" in said, said
    # The issuing CA itself, by the root's list.
    issuing = run_program("openssl", "x509", "-in", server.issuing, "-noout", "-serial").out.strip().split("=")[1].lower()
    server.admin("cert", "revoke", issuing, "--ca", "root", "--reason", "cACompromise")
    server.admin("crl", "publish", "--root")
    assert listed(root_crl(server), issuing)
    status, said = verify_all(tmp, server.root, above[:1], good)
    assert status != 0 and "certificate revoked" in said, said


def test_the_whole_path_after_a_rollover(server, tmp):
    """Both generations, and the new one as those see it who trust the old root: NewWithOld names the old root's list."""
    old, _ = enroll(server, tmp, "old")
    old_root, old_issuing = tmp / "old-root.pem", tmp / "old-issuing.pem"
    old_root.write_bytes(server.root.read_bytes())
    old_issuing.write_bytes(server.issuing.read_bytes())
    server.admin("ca", "rollover")
    server.reload()
    wait_for(lambda: fetch(server, "/crl/issuing.2-0.crl").status == 200)
    new, _ = enroll(server, tmp, "new")
    check_equal(verify_all(tmp, old_root, [old_issuing], old)[0], 0)
    check_equal(verify_all(tmp, server.root, [server.issuing], new)[0], 0)
    link = tmp / "new-with-old.pem"
    certificates = re.findall(r"-----BEGIN.*?END CERTIFICATE-----\n", (server.dir / "ca/rollover.pem").read_text(), re.S)
    link.write_text(certificates[1])
    status, said = verify_all(tmp, old_root, [server.issuing, link], new)
    check_equal(status, 0, said)


def test_two_cas_below_two_roots(tmp):
    """Each root has a list of its own, and what each CA issued is told by that CA alone."""
    server = Server(tmp / "data")
    made = tmp / "other"
    run_program(ESTUARYD, "init", "--dir", made, "--name", "Other", "--status-url", server.status_url)
    shutil.copytree(made / "ca.1", server.dir / "second.1")
    (server.dir / "second").symlink_to("second.1")
    server.config.write_text(server.config.read_text() + """
[ca.second]
directory = "second"
[profile.second]
ca = "second"
key_types = ["p256"]
key_usage = ["digitalSignature"]
subject = { allowed = ["CN"] }
[est.label.second]
profile = "second"
enroll = ["basic"]
""")
    server.admin("crl", "publish", "--root", "--ca", "second")
    second_root, second = server.dir / "second/root.pem", server.dir / "second/issuing.pem"
    server.start()
    try:
        wait_for(lambda: all(fetch(server, f"/crl/{ca}-0.crl").status == 200 for ca in ("issuing", "second")))
        first_file, first_serial = enroll(server, tmp, "first")
        second_file, second_serial = enroll(server, tmp, "second", server.credential("second", "--profile", "second"), "second/simpleenroll")
        above = fetched_issuers(tmp, second_file)
        check_equal([file.read_text() for file in above], [second.read_text(), second_root.read_text()])
        check_equal(verify_all(tmp, server.root, [server.issuing], first_file), (0, f"{first_file}: OK\n"))
        check_equal(verify_all(tmp, second_root, [second], second_file), (0, f"{second_file}: OK\n"))
        roots = [re.search(r"URI:(\S+\.crl)", certificate_text(file)).group(1) for file in (server.issuing, second)]
        assert roots[0] != roots[1], roots
        # OCSP tells them apart, also in one request.
        both = ["openssl", "ocsp", "-url", server.status_url + "/ocsp", "-CAfile", second_root, "-issuer", second]
        done = run_program(*both, "-cert", second_file, "-serial", "0x" + first_serial)
        check_in("Response verify OK", done.err)
        check_in(f"{second_file}: good", done.out)
        check_in(f"0x{first_serial}: unknown", done.out)
        # Revoked by the one root, its CA's path fails; the other's does not.
        number = run_program("openssl", "x509", "-in", second, "-noout", "-serial").out.strip().split("=")[1].lower()
        server.admin("cert", "revoke", number, "--ca", "root")
        server.admin("crl", "publish", "--root", "--ca", "second")
        status, said = verify_all(tmp, second_root, [second], second_file)
        assert status != 0 and "certificate revoked" in said, said
        check_equal(verify_all(tmp, server.root, [server.issuing], first_file)[0], 0)
        server.admin("cert", "revoke", second_serial, "--ca", "second")
        wait_for(lambda: listed(crl(server, "second-0.crl"), second_serial), 2)
        assert not listed(crl(server), second_serial)
    finally:
        server.stop()


def test_two_generations_and_two_processes(server, tmp):
    """The server and `crl publish` at once: no number twice, none without its record (bug class 18)."""
    password = server.credential("dev", "--uses", "20")
    serials = [enroll(server, tmp, "dev", password)[1] for _ in range(3)]
    server.admin("ca", "rollover")
    server.reload()
    wait_for(lambda: fetch(server, "/crl/issuing.2-0.crl").status == 200)
    for serial in serials:
        server.admin("cert", "revoke", serial)
        server.admin("crl", "publish")
    server.stop(signal.SIGKILL)
    server.start()
    server.admin("crl", "publish")
    wait_for(lambda: all(listed(crl(server), serial) for serial in serials))
    numbers = {}
    for line in server.admin("audit", "list", "--json").out.splitlines():
        event = json.loads(line)
        if event["event"] == "crl.published":
            numbers.setdefault(event["object"], []).append(int(re.search(r"number=(\d+)", event["detail"]).group(1)))
    for base in ("issuing", "issuing.2"):
        found = numbers[base + "/0"]
        assert len(found) >= 5 and found == sorted(set(found)), (base, found)
        check_equal(crl_number(crl(server, f"{base}-0.crl")), found[-1], base)
    rows = json.loads(server.admin("crl", "show", "--json").out)
    check_equal({row["state"] for row in rows}, {"published"})


def test_hostile_requests(server, tmp):
    file, _ = enroll(server, tmp)
    der = ocsp_request(server, tmp, "-no_nonce", "-cert", file)
    for broken in (b"", b"\x30", der[:-1], der[: len(der) // 2], der + b"\0", b"\x30\x84\xff\xff\xff\xff" + der[2:]):
        check_equal(post_ocsp(server, tmp, broken).octets, bytes.fromhex("30030a0101"), "malformedRequest")
    check_equal(fetch(server, "/ocsp/" + "A" * 5000).status, 414)
    assert fetch(server, "/ocsp/" + "A" * 100_000, check=False).status in (414, 431)
    check_equal(fetch(server, "/ocsp/%%%").status, 400)
    many = ocsp_request(server, tmp, "-no_nonce", *[word for n in range(1000) for word in ("-serial", str(n + 1))])
    start = time.monotonic()
    reply = post_ocsp(server, tmp, many)
    assert reply.status in (200, 413) and len(reply.octets) < 100, "a thousand certificates are too many for one request"
    assert time.monotonic() - start < 1
    long_nonce = der  # the responder's own tests cover nonces; here only that the server goes on
    check_equal(post_ocsp(server, tmp, long_nonce).status, 200)
    check_equal(fetch(server, "/ocsp", "-H", "Content-Type: text/plain", "--data", "x").status, 415)
    check_in(": good", ocsp(server, "-cert", file).out)


def test_check_and_upgrade(tmp):
    server = Server(tmp / "data")
    text = server.config.read_text()
    start, end = text.index("[status]"), text.index("# The CA that signs.")
    without = text[:start] + text[end:]
    without = re.sub(r"\[ca\.issuing\.crl\].*?(?=\n# What a device)", "", without, flags=re.S)
    server.config.write_text(without)
    done = server.admin("check")
    check_in("no [status]", done.err)
    server.start()
    try:
        assert "Distribution" not in certificate_text(enroll(server, tmp)[0]), "nothing changes in what is issued"
        assert not (server.dir / "crl/issuing-0.crl").exists()
        server.config.write_text(text.replace("interval = \"1d\"", "interval = \"9d\""))
        done = server.admin("check", check=False)
        check_equal(done.returncode, 1)
        check_in("ca.issuing.crl.interval", done.err)
        server.config.write_text(text)
        check_equal(server.admin("check").err, "")
    finally:
        server.stop()


def test_metrics(tmp):
    port = free_port()
    with Serving(tmp, ("#[metrics]", "[metrics]"), ('#listen = "127.0.0.1:9443"', f'listen = "127.0.0.1:{port}"')) as server:
        file, _ = enroll(server, tmp)
        ocsp(server, "-cert", file)
        text = run_program("curl", "-sS", f"http://127.0.0.1:{port}/metrics").out
        for part in ('estuary_ocsp_responses_total{status="successful"} 1', "estuary_crl_number", "estuary_crl_seconds_to_next_update",
                     "estuary_ocsp_signer_not_after_seconds", "estuary_tls_not_after_seconds", "estuary_ca_not_after_seconds"):
            check_in(part, text)


def test_crls_over_est(server, tmp):
    """RFC 8295 4: the same list as over HTTP, in a crls-only message that openssl reads."""
    file, serial = enroll(server, tmp)
    server.admin("cert", "revoke", serial)
    wait_for(lambda: listed(crl(server), serial))
    reply = server.curl("crls")
    check_equal(reply.status, 200)
    check_equal(reply.headers["content-type"].replace(" ", ""), "application/pkcs7-mime;smime-type=crls-only")
    text = run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout", "-text", stdin=base64.b64decode(reply.body)).out
    check_in(serial, text.lower(), "the revoked certificate")


if __name__ == "__main__":
    run(globals())
