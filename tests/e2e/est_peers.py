"""Independent EST clients against estuaryd: curl with openssl, and strongSwan's pki."""
import base64
import json
import re
import socket
import subprocess
import time
from pathlib import Path

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


def test_post_quantum_ca_and_devices(tmp):
    """ML-DSA from the root to the device, where the cryptographic library has it (OpenSSL 3.5)."""
    if "ML-DSA-65" not in run_program("openssl", "list", "-signature-algorithms").out:
        raise Skip("this OpenSSL has no ML-DSA")
    server = Server(tmp / "ca", ["--key-type", "ml-dsa-65"])
    server.start()
    try:
        for number, key in enumerate(["ml-dsa-65", "p256"]):
            name, out = f"pq{number}", tmp / f"pq{number}"
            run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--subject", f"CN={name}", "--user", name,
                        "--password-stdin", "--key-type", key, "--out", out, stdin=server.credential(name) + "\n")
            run_program(ESTUARY, "renew", out)
            run_program("openssl", "verify", "-CAfile", server.root, "-untrusted", server.issuing, out / "cert.pem")
        der = make_request(tmp, "/CN=pq-openssl", key="ml-dsa-65")
        reply = server.post("simpleenroll", der, *basic(server, "pq-openssl"))
        check_equal(reply.status, 200)
        (tmp / "cert.pem").write_text(reply.certificates())
        text = run_program("openssl", "x509", "-in", tmp / "cert.pem", "-noout", "-text").out
        check_equal(text.count("Algorithm: ML-DSA-65"), 3, "signature, key, signature")
    finally:
        server.stop()


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


def request_with_pki(tmp, name) -> Path:
    run_program("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp / f"{name}.key")
    request = run_program(need("pki"), "--req", "--in", tmp / f"{name}.key", "--type", "ecdsa", "--dn", f"CN={name}", "--outform", "pem")
    (tmp / f"{name}.req").write_bytes(request.stdout)
    return tmp / f"{name}.req"


def test_strongswan_waits_for_approval(server, tmp):
    """202 with Retry-After, asked again by a client that we did not write, until a person has decided."""
    pki = need("pki")
    text = server.config.read_text().replace("#manual_approval = true", 'manual_approval = true\npoll_interval = "1s"', 1)
    server.config.write_text(text)
    server.reload()
    trust = ["--cacert", server.root, "--cacert", server.issuing]

    def start(name):
        command = [pki, "--est", "--url", server.url, "--in", request_with_pki(tmp, name), *trust, "--userpass",
                   f"{name}:{server.credential(name)}", "--interval", "1", "--maxpolltime", "60", "--outform", "pem"]
        client = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        waiting = lambda: [each for each in json.loads(server.admin("request", "list", "--json").out) if name in json.dumps(each)]
        wait_for(waiting, what="the request that waits")
        time.sleep(2.5)   # two polls or so, none of them a new request
        check_equal(len(waiting()), 1)
        assert client.poll() is None, client.communicate()
        return client, str(waiting()[0]["id"])

    client, request = start("patient")
    server.admin("request", "approve", request)
    issued, _ = client.communicate(timeout=60)
    check_equal(client.returncode, 0)
    (tmp / "patient.pem").write_bytes(issued)
    run_program("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", server.issuing, tmp / "patient.pem")
    check_in("CN = patient", run_program("openssl", "x509", "-in", tmp / "patient.pem", "-noout", "-subject", "-nameopt", "oneline").out)

    client, request = start("hopeful")
    server.admin("request", "deny", request, "--reason", "unknown device")
    issued, said = client.communicate(timeout=60)
    assert client.returncode != 0 and b"BEGIN CERTIFICATE" not in issued, said


def client_hello(*suites) -> bytes:
    """A ClientHello of TLS 1.2 that offers these suites, as somebody who knows no better would send it."""
    groups = bytes.fromhex("000a00080006001700180019")
    signatures = bytes.fromhex("000d000e000c040305030603040105010601")
    point_formats = bytes.fromhex("000b00020100")
    extensions = groups + point_formats + signatures
    offered = b"".join(suite.to_bytes(2, "big") for suite in suites)
    body = b"\x03\x03" + bytes(32) + b"\0" + len(offered).to_bytes(2, "big") + offered + b"\x01\0" + \
        len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def test_weak_cipher_suites_are_refused(server, tmp):
    """RFC 7030 3.2.3, 3.3 and 6: nothing without encryption or authentication, no EXPORT, no DES; and none of the CBC, RC4 and
    3DES suites that others may still have."""
    def answer(*suites) -> bytes:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(client_hello(*suites))
            return connection.recv(7)
    good = 0xC02B                                                          # ECDHE-ECDSA-AES128-GCM-SHA256
    check_equal(answer(good)[:6], answer(0x0000, good)[:6])
    check_equal(answer(good)[0], 22, "the handshake goes on")
    without_encryption = [0x0000, 0x0001, 0x0002, 0x003B, 0xC006, 0xC010]
    anonymous = [0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x00A6, 0xC015, 0xC018, 0xC019]
    export_and_des = [0x0003, 0x0006, 0x0008, 0x0009, 0x000B, 0x0011, 0x0014, 0x0015, 0x0019, 0x0062, 0x0064]
    old = [0x0004, 0x0005, 0x000A, 0x0016, 0x002F, 0x0035, 0x003C, 0x009C, 0xC007, 0xC008, 0xC009, 0xC00A, 0xC023, 0xC024]
    for suite in without_encryption + anonymous + export_and_des + old:
        alert = answer(suite)
        check_equal((alert[0], alert[5:7]), (21, b"\x02\x28"), f"suite {suite:04X}: handshake_failure")


if __name__ == "__main__":
    run(globals())
