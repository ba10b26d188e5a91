"""Independent EST clients against estuaryd: curl with openssl, and strongSwan's pki."""
import base64
import re

from harness import *  # noqa: F403


def basic(server, name, *options):
    """curl options of a fresh credential."""
    return ["--user", f"{name}:{server.credential(name, *options)}"]


def test_cacerts_with_curl_and_openssl(server, tmp):
    reply = server.curl("cacerts")
    check_equal(reply.status, 200)
    check_equal(reply.headers["content-type"].split(";")[0], "application/pkcs7-mime")
    assert reply.body.endswith("\n"), "base64 ends with a line break"
    assert all(len(line) <= 76 for line in reply.body.splitlines()), "lines are wrapped"
    pem = reply.certificates()
    check_equal(pem.count("BEGIN CERTIFICATE"), 2)
    check_in(server.root.read_text().split("-----")[2].strip(), pem, "root")


def test_simpleenroll_with_curl_every_form_of_body(server, tmp):
    """Base64 in lines, in one line, with CRLF, PEM-armoured: what clients really send (RFC 8951)."""
    for number, (form, of) in enumerate({
            "wrapped": lambda der: base64.encodebytes(der),
            "one line": lambda der: base64.b64encode(der),
            "CRLF": lambda der: base64.encodebytes(der).replace(b"\n", b"\r\n"),
            "PEM": lambda der: b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE REQUEST-----\n",
    }.items()):
        der = make_request(tmp, f"/CN=form{number}")
        reply = server.post("simpleenroll", der, *basic(server, f"form{number}"), body=of(der))
        check_equal(reply.status, 200, form)
        check_equal(reply.headers["content-type"].replace(" ", ""), "application/pkcs7-mime;smime-type=certs-only", form)
        pem = reply.certificates()
        check_equal(pem.count("BEGIN CERTIFICATE"), 1, "exactly one certificate")
        (tmp / "cert.pem").write_text(pem)
        run_program("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", server.issuing, tmp / "cert.pem")


def test_content_transfer_encoding_is_ignored_and_chunked_is_read(server, tmp):
    der = make_request(tmp, "/CN=chunked")
    reply = server.post("simpleenroll", der, *basic(server, "chunked"), "-H", "Content-Transfer-Encoding: binary",
                        "-H", "Transfer-Encoding: chunked")
    check_equal(reply.status, 200)


def test_key_types_of_openssl(server, tmp):
    for key in ("ec", "p384", "rsa3072", "ed25519"):
        der = make_request(tmp, f"/CN=key-{key}", key=key)
        reply = server.post("simpleenroll", der, *basic(server, f"key-{key}"))
        check_equal(reply.status, 200, key)
        (tmp / "cert.pem").write_text(reply.certificates())
        run_program("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", server.issuing, tmp / "cert.pem")


def test_weak_requests_are_refused(server, tmp):
    """bug class 32: small RSA keys and old digests."""
    for what, options in {"rsa1024": {"key": "rsa1024"}, "sha1": {"key": "rsa3072", "extra": ["-sha1"]},
                          "md5": {"key": "rsa3072", "extra": ["-md5"]}}.items():
        der = make_request(tmp, f"/CN={what}", **options)
        reply = server.post("simpleenroll", der, *basic(server, what))
        check_equal(reply.status, 400, what)
        assert len(reply.body) < 400 and reply.headers["content-type"].startswith("text/plain"), reply


def test_renew_with_curl_by_certificate(server, tmp):
    der = make_request(tmp, "/CN=renewing")
    first = server.post("simpleenroll", der, *basic(server, "renewing")).certificates()
    (tmp / "cert.pem").write_text(first)
    mtls = ["--cert", tmp / "cert.pem", "--key", tmp / "dev.key"]
    again = make_request(tmp, "/CN=renewing", name="next")
    reply = server.post("simplereenroll", again, *mtls)
    check_equal(reply.status, 200)
    assert reply.certificates() != first
    other = server.post("simplereenroll", make_request(tmp, "/CN=somebody-else", name="other"), *mtls)
    check_equal(other.status, 403 if other.status == 403 else 400, "another subject is refused")
    without = server.post("simplereenroll", again)
    check_equal(without.status, 403, "no certificate, and no password would do")


def test_tls12_client(server, tmp):
    reply = server.curl("cacerts", "--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")
    check_equal(reply.status, 200)


def test_tls11_is_refused(server, tmp):
    done = run_program("openssl", "s_client", "-connect", server.address, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", check=False, stdin=b"")
    assert "New, (NONE)" in done.out or done.returncode != 0, done.out


def test_http_statuses(server, tmp):
    """The map of RFC 7030 3.2 and RFC 9110 from curl's side."""
    der = make_request(tmp, "/CN=x")
    check_equal(server.curl("nothing").status, 404)
    check_equal(server.curl("unknownlabel/cacerts").status, 404)
    wrong_method = server.curl("simpleenroll")
    check_equal(wrong_method.status, 405)
    check_equal(wrong_method.headers["allow"], "POST")
    check_equal(server.curl("cacerts", "-X", "POST", "-d", "").status, 405)
    user = basic(server, "statuses", "--uses", "10")
    check_equal(server.post("simpleenroll", der, *user, content_type="text/plain").status, 415)
    check_equal(server.post("simpleenroll", der, *user, body=b"A" * 200_000).status, 413)
    check_equal(server.post("simpleenroll", der, *user, body=b"not base64!").status, 400)
    check_equal(server.post("simpleenroll", der, *user, body=base64.encodebytes(der[:-3])).status, 400)
    nobody = server.post("simpleenroll", der)
    check_equal(nobody.status, 401)
    check_in("Basic", nobody.headers["www-authenticate"])
    check_equal(server.post("simpleenroll", der, "--user", "statuses:wrong").status, 401)


def test_strongswan_estca_and_est(server, tmp):
    pki = need("pki")
    run_program(pki, "--estca", "--url", server.url, "--cacert", server.root, "--caout", tmp / "ca", "--outform", "pem")
    assert list(tmp.glob("ca*")), "pki --estca writes the CA certificates"
    run_program("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp / "swan.key")
    request = run_program(pki, "--req", "--in", tmp / "swan.key", "--type", "ecdsa", "--dn", "CN=swan", "--outform", "pem").stdout
    (tmp / "swan.req").write_bytes(request)
    password = server.credential("swan")
    trust = ["--cacert", server.root, "--cacert", server.issuing]
    issued = run_program(pki, "--est", "--url", server.url, "--in", tmp / "swan.req", *trust, "--userpass", f"swan:{password}",
                         "--outform", "pem").out
    check_in("BEGIN CERTIFICATE", issued)
    (tmp / "swan.pem").write_text(issued)
    run_program("openssl", "verify", "-CAfile", server.root, "-untrusted", server.issuing, tmp / "swan.pem")
    # Renewal with the certificate, under a new key.
    run_program("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp / "swan2.key")
    request = run_program(pki, "--req", "--in", tmp / "swan2.key", "--type", "ecdsa", "--dn", "CN=swan", "--outform", "pem").stdout
    (tmp / "swan2.req").write_bytes(request)
    renewed = run_program(pki, "--est", "--url", server.url, "--in", tmp / "swan2.req", *trust, "--cert", tmp / "swan.pem", "--key",
                          tmp / "swan.key", "--outform", "pem").out
    check_in("BEGIN CERTIFICATE", renewed)
    assert renewed != issued


def test_csrattrs_is_der_that_openssl_reads(server, tmp):
    reply = server.curl("csrattrs")
    check_equal(reply.status, 200)
    check_equal(reply.headers["content-type"].split(";")[0], "application/csrattrs")
    text = run_program("openssl", "asn1parse", "-inform", "DER", stdin=base64.b64decode(reply.body)).out
    check_in("SEQUENCE", text)


def test_head_and_body_in_one_tls_record(server, tmp):
    """Old clients read once and take what they get."""
    request = f"GET {WELL_KNOWN}/cacerts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    done = run_program("openssl", "s_client", "-connect", server.address, "-CAfile", server.root, "-msg", "-quiet", "-ign_eof",
                       stdin=request, check=False)
    records = re.findall(r"<<< .*ApplicationData", done.out + done.err)
    text = done.out + done.err
    check_in("HTTP/1.1 200", text)
    assert len(records) <= 1, records


if __name__ == "__main__":
    run(globals())
