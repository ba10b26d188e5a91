"""CMC (RFC 10002, 5272, 5273) with peers that are not ours: openssl cms, curl, Bouncy Castle; and with our own client."""
import hashlib
import json
import os
from pathlib import Path

from harness import *  # noqa: F403

PKI_DATA = "1.3.6.1.5.5.7.12.2"
PKI_RESPONSE = "1.3.6.1.5.5.7.12.3"
FULL_REQUEST = "application/pkcs7-mime; smime-type=CMC-request"
FULL_RESPONSE = "application/pkcs7-mime; smime-type=CMC-response"
CERTS_ONLY = "application/pkcs7-mime; smime-type=certs-only"
JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcprov", "bcutil", "bcpkix")]


class CmcServer(Server):
    LABELS = """
[cmc]

[cmc.label.default]
profile = "device"
accept = ["certificate", "registration authority", "secret", "transport"]
path = "/cmc"
fullcmc = true

[cmc.label.manual]
profile = "manual"
accept = ["secret"]
path = "/manual"

[cmc.label.confirm]
profile = "device"
accept = ["secret", "certificate"]
confirm_within = "10m"
path = "/confirm"

[cmc.label.closed]
profile = "device"
path = "/closed"

[profile.manual]
ca = "issuing"
key_types = ["p256"]
manual_approval = true
poll_interval = "1s"
[profile.manual.subject]
allowed = ["CN"]
"""

    def __init__(self, directory: Path):
        super().__init__(directory)
        self.config.write_text(self.config.read_text() + self.LABELS)

    def secret(self, name, *options):
        return self.admin("credential", "add", name, "--type", "cmc", "--quiet", *options).out.strip()

    def cmc(self, command, path, *options, check=True):
        return run_program(ESTUARY, "cmc", command, f"{self.url}{path}", "--trust", self.root, *options, check=check)

    def send(self, tmp, message: bytes, path="/cmc", content_type=FULL_REQUEST, *options):
        """Status, media type and octets of an answer, by curl."""
        (tmp / "message").write_bytes(message)
        done = run_program(need("curl"), "-sS", "--cacert", self.root, "-H", f"Content-Type: {content_type}", "--data-binary",
                           f"@{tmp / 'message'}", "-o", tmp / "answer", "-w", "%{http_code}\n%{content_type}", *options, self.url + path)
        status, _, media_type = done.out.partition("\n")
        return int(status), media_type, (tmp / "answer").read_bytes()


def cmc_server(tmp) -> CmcServer:
    return CmcServer(tmp / "data").start()


def secret_file(tmp, server, name, *options) -> Path:
    path = tmp / f"{name}.secret"
    path.write_text(server.secret(name, *options) + "\n")
    return path


# -- a DER writer of the test's own -----------------------------------------------------------------------------------------

def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return tlv(0x30, *parts)


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray([first * 40 + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        out += bytes(reversed(groups))
    return tlv(0x06, bytes(out))


def control(number: int, arc: int, value: bytes) -> bytes:
    return sequence(integer(number), oid(f"1.3.6.1.5.5.7.7.{arc}"), tlv(0x31, value))


def pki_data(controls=(), requests=(), contents=()) -> bytes:
    return sequence(sequence(*controls), sequence(*requests), sequence(*contents), sequence())


def tcr(number: int, request: bytes) -> bytes:
    return tlv(0xA0, integer(number), request)


def sign(tmp, content: bytes, certificate, key, content_type=PKI_DATA, *options) -> bytes:
    (tmp / "content").write_bytes(content)
    run_program("openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-econtent_type", content_type, "-signer", certificate,
                "-inkey", key, "-outform", "DER", "-in", tmp / "content", "-out", tmp / "signed", *options)
    return (tmp / "signed").read_bytes()


def opened(tmp, server, answer: bytes) -> str:
    """The PKIResponse as openssl shows it, its signature verified up to our root."""
    (tmp / "response").write_bytes(answer)
    run_program("openssl", "cms", "-verify", "-inform", "DER", "-in", tmp / "response", "-CAfile", server.root, "-purpose", "any",
                "-certsout", tmp / "bag.pem", "-out", tmp / "content")
    shown = run_program("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp / "response").out
    assert f"({PKI_RESPONSE})" in shown, shown
    return run_program("openssl", "asn1parse", "-inform", "DER", "-in", tmp / "content").out


def bag(tmp, answer: bytes) -> str:
    return run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", stdin=answer).out


def enrolled(tmp, server, name="dev1", path="/cmc", *options) -> Path:
    out = tmp / name
    server.cmc("enroll", path, "--name", name, "--secret-file", secret_file(tmp, server, name, "--uses", "9"), "--subject", f"CN={name}",
               "--out", out, *options)
    return out


# -- our own client -----------------------------------------------------------------------------------------------------------

def test_a_life_with_our_own_client(tmp):
    server = cmc_server(tmp)
    for path in ("/cmc", "/.well-known/est/fullcmc"):
        name = "by-" + path.rpartition("/")[2]
        out = enrolled(tmp, server, name, path)
        first = (out / "cert.pem").read_text()
        run_program("openssl", "verify", "-CAfile", out / "anchors.pem", "-untrusted", out / "chain.pem", out / "cert.pem")
        server.cmc("renew", path, "--dir", out)
        assert (out / "cert.pem").read_text() != first
        mine = ["--cert", out / "cert.pem", "--cert-key", out / "key.pem"]
        serial = run_program("openssl", "x509", "-noout", "-serial", "-in", out / "cert.pem").out.strip().partition("=")[2]
        got = server.cmc("cert", path, *mine, "--issuer", "CN=Test Issuing CA,O=Test", "--serial", serial, check=False)
        issuer = run_program("openssl", "x509", "-noout", "-issuer", "-nameopt", "RFC2253", "-in", out / "cert.pem").out.strip().partition("=")[2]
        got = server.cmc("cert", path, *mine, "--issuer", issuer, "--serial", serial)
        assert got.out == (out / "cert.pem").read_text(), got.out
        assert "BEGIN X509 CRL" in server.cmc("crl", path, *mine, "--issuer", issuer).out
        server.cmc("revoke", path, *mine, "--certificate", out / "cert.pem", "--reason", "superseded")
        listed = json.loads(server.admin("cert", "list", "--serial", serial, "--json").out)
        assert "superseded" in json.dumps(listed), listed
        # Revoked: it asks for nothing any more (bug class 5).
        refused = server.cmc("renew", path, "--dir", out, check=False)
        assert refused.returncode == 3 and "badIdentity" in refused.err, (refused.returncode, refused.err)
    server.stop()


def test_keys_that_only_decrypt(tmp):
    server = cmc_server(tmp)
    out = enrolled(tmp, server, "dev1", "/cmc", "--key-type", "rsa2048", "--decrypts-only")
    assert "rsaEncryption" in run_program("openssl", "x509", "-noout", "-text", "-in", out / "cert.pem").out
    enrolled(tmp, server, "dev2", "/cmc", "--crmf")
    server.stop()


def test_requests_are_encrypted_if_asked(tmp):
    server = cmc_server(tmp)
    responder = next((server.dir / "cmc").glob("*.pem"))
    enrolled(tmp, server, "dev1", "/cmc", "--encrypt-for", responder)
    server.stop()


def test_a_person_decides(tmp):
    server = cmc_server(tmp)
    name, out = "dev1", tmp / "dev1"
    secret = secret_file(tmp, server, name, "--profile", "any")
    waiting = subprocess.Popen([ESTUARY, "cmc", "enroll", f"{server.url}/manual", "--trust", str(server.root), "--name", name, "--secret-file",
                                str(secret), "--subject", "CN=dev1", "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: json.loads(server.admin("request", "list", "--json").out))
    server.admin("request", "approve", "1")
    _, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, err
    assert (out / "cert.pem").exists()
    server.stop()


def test_certificates_are_confirmed(tmp):
    server = cmc_server(tmp)
    enrolled(tmp, server, "dev1", "/confirm")
    assert "certificate.confirmed" in server.admin("audit", "list").out
    server.stop()


def test_wrong_secrets_and_closed_labels(tmp):
    server = cmc_server(tmp)
    secret_file(tmp, server, "dev1")
    (tmp / "wrong").write_text("not the secret\n")
    options = ["--name", "dev1", "--secret-file", tmp / "wrong", "--subject", "CN=dev1", "--out", tmp / "out"]
    refused = server.cmc("enroll", "/cmc", *options, check=False)
    assert refused.returncode == 3 and "badIdentity" in refused.err, refused.err
    assert not (tmp / "out" / "cert.pem").exists()
    right = ["--name", "dev1", "--secret-file", tmp / "dev1.secret", "--subject", "CN=dev1", "--out", tmp / "out"]
    refused = server.cmc("enroll", "/closed", *right, check=False)  # bug class 9
    assert refused.returncode == 3 and "badIdentity" in refused.err, refused.err
    # Secrets are in no log and no audit trail (bug class 12).
    text = server.log() + server.admin("audit", "list").out
    assert (tmp / "dev1.secret").read_text().strip() not in text and "not the secret" not in text
    server.stop()


# -- openssl cms ----------------------------------------------------------------------------------------------------------------

def test_openssl_signs_and_reads(tmp):
    server = cmc_server(tmp)
    out = enrolled(tmp, server)
    request = make_request(tmp, "/CN=dev1", name="next")
    cert, key = out / "cert.pem", out / "key.pem"
    # Only a request: a simple PKI response.
    status, media_type, answer = server.send(tmp, sign(tmp, pki_data(requests=[tcr(1, request)]), cert, key))
    assert (status, media_type) == (200, CERTS_ONLY), (status, media_type)
    assert "subject=CN = dev1" in bag(tmp, answer) or "subject=CN=dev1" in bag(tmp, answer), bag(tmp, answer)
    # With a nonce and data to return: a full one.
    controls = [control(103, 6, tlv(0x04, bytes.fromhex("2711"))), control(104, 4, tlv(0x04, b"where the key is"))]
    data = pki_data(controls, [tcr(1, make_request(tmp, "/CN=dev1", name="third"))])
    status, media_type, answer = server.send(tmp, sign(tmp, data, cert, key))
    assert (status, media_type) == (200, FULL_RESPONSE), (status, media_type)
    shown = opened(tmp, server, answer)
    assert "2711" in shown and b"where the key is".hex().upper() in shown, shown
    # By key identifier, with another digest, and without the certificate in the message.
    for options in (["-keyid"], ["-md", "sha384"], ["-nocerts"]):
        status, _, _ = server.send(tmp, sign(tmp, data, cert, key, PKI_DATA, *options))
        assert status == 200, options
    # Another content type, and another's signature.
    status, _, answer = server.send(tmp, sign(tmp, data, cert, key, PKI_RESPONSE))
    assert status == 200 and "INTEGER           :02" in opened(tmp, server, answer)
    server.stop()


def test_openssl_is_a_registration_authority(tmp):
    """The server's own certificate has id-kp-cmcRA: it signs for others, and adds what they did not ask for."""
    server = cmc_server(tmp)
    ra = server.dir / "tls/server.pem", server.dir / "tls/server.key"
    requests = [tcr(number, make_request(tmp, f"/CN=dev{number}", name=f"dev{number}")) for number in range(1, 6)]
    san = sequence(oid("2.5.29.17"), tlv(0x04, sequence(tlv(0x82, b"added.example"))))
    add = control(100, 8, sequence(integer(0), sequence(integer(2)), sequence(san)))
    status, media_type, answer = server.send(tmp, sign(tmp, pki_data([add], requests), *ra))
    assert (status, media_type) == (200, CERTS_ONLY), opened(tmp, server, answer)
    shown = bag(tmp, answer)
    assert all(f"dev{number}" in shown for number in range(1, 6)), shown
    (tmp / "bag").write_bytes(answer)
    pem = run_program("openssl", "pkcs7", "-inform", "DER", "-in", tmp / "bag", "-print_certs").out
    texts = [run_program("openssl", "x509", "-noout", "-text", stdin="-----BEGIN" + part).out for part in pem.split("-----BEGIN")[1:]]
    assert sum("DNS:added.example" in text for text in texts) == 1
    # A device cannot do that.
    out = enrolled(tmp, server)
    status, media_type, answer = server.send(tmp, sign(tmp, pki_data([add], requests), out / "cert.pem", out / "key.pem"))
    assert media_type == FULL_RESPONSE and ":02" in opened(tmp, server, answer)
    server.stop()


def test_openssl_encrypts_and_decrypts(tmp):
    server = cmc_server(tmp)
    out = enrolled(tmp, server, "dev1", "/cmc", "--key-type", "rsa2048")
    cert, key = out / "cert.pem", out / "key.pem"
    responder = next((server.dir / "cmc").glob("*.pem"))
    signed = sign(tmp, pki_data(requests=[tcr(1, make_request(tmp, "/CN=dev1", name="next", key="rsa"))]), cert, key)
    # Inside of EnvelopedData is a SignedData without ContentInfo (RFC 5652 6.3); openssl takes octets as they come.
    inner = run_program("openssl", "asn1parse", "-inform", "DER", "-strparse", "0", "-noout", "-out", tmp / "whole", stdin=signed)
    del inner
    (tmp / "inner").write_bytes(content_of_content_info(signed))
    for cipher in ("-aes-128-cbc", "-aes-256-cbc"):
        run_program("openssl", "cms", "-encrypt", "-binary", cipher, "-econtent_type", "1.2.840.113549.1.7.2", "-outform", "DER",
                    "-in", tmp / "inner", "-out", tmp / "enveloped", responder)
        envelope = retyped(tmp / "enveloped")
        status, media_type, answer = server.send(tmp, envelope)
        assert status == 200, answer
        (tmp / "answer.der").write_bytes(answer)
        shown = run_program("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp / "answer.der").out
        # The holder's key cannot receive by its keyUsage (digitalSignature): the answer comes in the clear, and says that all is well.
        assert "pkcs7-signedData" in shown, shown[:300]
        assert media_type == CERTS_ONLY, media_type
        spoilt = bytearray(envelope)
        spoilt[-1] ^= 1
        status, media_type, answer = server.send(tmp, bytes(spoilt))
        assert status == 200 and media_type == FULL_RESPONSE
        assert "the message cannot be decrypted" in opened(tmp, server, answer)
    server.stop()


def element(octets: bytes, at: int):
    """(tag, start of content, end) of the DER or BER element there, definite lengths only."""
    size, start = octets[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(octets[start:start + count], "big"), start + count
    return octets[at], start, start + size


def content_of_content_info(octets: bytes) -> bytes:
    _, inside, _ = element(octets, 0)
    _, _, after_oid = element(octets, inside)
    _, start, end = element(octets, after_oid)
    return octets[start:end]


def retyped(path: Path) -> bytes:
    """The same EnvelopedData with id-signedData as the type of its content, where openssl wrote id-data."""
    octets = path.read_bytes()
    data, signed = oid("1.2.840.113549.1.7.1"), oid("1.2.840.113549.1.7.2")
    return octets if signed in octets else octets.replace(data, signed)


# -- HTTP ------------------------------------------------------------------------------------------------------------------------

def test_http_shapes(tmp):
    server = cmc_server(tmp)
    out = enrolled(tmp, server)
    message = sign(tmp, pki_data(requests=[tcr(1, make_request(tmp, "/CN=dev1", name="next"))]), out / "cert.pem", out / "key.pem")
    assert server.curl("/cmc").status == 405
    assert server.curl("/cmc").headers["allow"] == "POST"
    assert server.curl("/nothing").status == 404
    assert server.send(tmp, message, "/cmc", "text/plain")[0] == 415
    assert server.send(tmp, message, "/cmc", "application/pkcs7-mime; smime-type=certs-only")[0] == 415
    assert server.send(tmp, message, "/cmc", "application/pkcs7-mime")[0] == 200
    assert server.send(tmp, message, "/cmc", 'application/pkcs7-mime; name=smime.p7m; smime-type="CMC-Request"')[0] == 200
    # A simple request: nobody proved who asks, and the answer is CMC's (RFC 5273 6: 200).
    status, media_type, answer = server.send(tmp, make_request(tmp, "/CN=a", name="a"), "/cmc", "application/pkcs10")
    assert (status, media_type) == (200, FULL_RESPONSE) and "INTEGER           :07" in opened(tmp, server, answer)
    server.stop()


def test_est_full_cmc(tmp):
    server = cmc_server(tmp)
    out = enrolled(tmp, server)
    password = server.credential("web", "--uses", "9")
    path = "/.well-known/est/fullcmc"
    message = sign(tmp, pki_data(requests=[tcr(1, make_request(tmp, "/CN=dev1", name="next"))]), out / "cert.pem", out / "key.pem")
    status, media_type, answer = server.send(tmp, base64.encodebytes(message), path)
    assert (status, media_type) == (200, CERTS_ONLY)
    assert "dev1" in bag(tmp, base64.b64decode(answer))
    # "When rejecting a request, the server MUST specify either an HTTP 4xx error or an HTTP 5xx error", with an answer of CMC's.
    forged = bytearray(message)
    forged[-1] ^= 1
    status, media_type, answer = server.send(tmp, base64.encodebytes(bytes(forged)), path)
    assert 400 <= status < 500 and media_type == FULL_RESPONSE, (status, media_type)
    assert "INTEGER           :01" in opened(tmp, server, base64.b64decode(answer))
    # "If the HTTP POST to /fullcmc is not a valid Full PKI Request, the server MUST reject the message."
    plain = make_request(tmp, "/CN=a", name="a")
    assert server.send(tmp, base64.encodebytes(plain), path)[0] == 400
    assert server.send(tmp, base64.encodebytes(plain), path, "application/pkcs10")[0] == 415
    # EST's own authentication counts as well (accept = "transport"), if it is right.
    unsigned = sign(tmp, pki_data(requests=[tcr(1, plain)]), out / "cert.pem", out / "key.pem")
    assert server.send(tmp, base64.encodebytes(unsigned), path, FULL_REQUEST, "-u", "web:wrong")[0] == 401
    assert server.send(tmp, base64.encodebytes(unsigned), path, FULL_REQUEST, "-u", f"web:{password}")[0] == 400  # another's name
    assert server.curl("/.well-known/est/nothing/fullcmc").status == 404
    assert server.curl("fullcmc").status == 405
    server.stop()


def test_without_configuration_nothing_is_offered(server, tmp):  # bug class 9
    for path in ("/cmc", "/.well-known/est/fullcmc"):
        request = make_request(tmp, "/CN=a", name="a")
        reply = server.post(path, request, body=request, content_type=FULL_REQUEST)
        assert reply.status == 404, reply


# -- files -------------------------------------------------------------------------------------------------------------------------

def test_requests_in_files(tmp):
    server = CmcServer(tmp / "data")
    request = tmp / "dev1.p10"
    request.write_bytes(make_request(tmp, "/CN=dev1", name="dev1"))
    refused = server.admin("cmc", request, check=False)
    assert refused.returncode == 3, refused.err
    assert refused.out.strip() == str(tmp / "dev1.crp")
    assert "INTEGER           :07" in opened(tmp, server, (tmp / "dev1.crp").read_bytes())
    assert server.admin("cmc", "--vouch", request).out.strip() == str(tmp / "dev1.p7c")
    assert "dev1" in bag(tmp, (tmp / "dev1.p7c").read_bytes())
    ra = server.dir / "tls/server.pem", server.dir / "tls/server.key"
    server.start()   # makes the server's own certificate, a registration authority's
    server.stop()
    full = tmp / "dev2.crq"
    full.write_bytes(sign(tmp, pki_data([control(9, 6, tlv(0x04, b"nonce"))], [tcr(1, make_request(tmp, "/CN=dev2", name="dev2"))]), *ra))
    server.admin("cmc", full, "--out", tmp / "answer.crp")
    assert b"nonce".hex().upper() in opened(tmp, server, (tmp / "answer.crp").read_bytes())


# -- Bouncy Castle -----------------------------------------------------------------------------------------------------------------

def bouncy_castle(tmp):
    javac, java = need("javac"), need("java")
    if not all(jar.exists() for jar in JARS):
        raise Skip("Bouncy Castle is not installed (scripts/setup does it)")
    classes = os.pathsep.join(map(str, [tmp / "classes", *JARS]))
    run_program(javac, "-cp", classes, "-d", tmp / "classes", Path(__file__).parent / "java/CmcPeer.java")
    return lambda *command: run_program(java, "-cp", classes, "CmcPeer", *command).out


def test_bouncy_castle_enrolls_renews_and_revokes(tmp):
    server = cmc_server(tmp)
    peer = bouncy_castle(tmp)
    secret = server.secret("bouncy", "--uses", "9")
    peer("enroll", "bouncy", secret, "CN=castle", tmp / "first")
    status, media_type, answer = server.send(tmp, (tmp / "first").read_bytes())
    assert (status, media_type) == (200, FULL_RESPONSE)
    (tmp / "first.crp").write_bytes(answer)
    shown = peer("read", tmp / "first.crp")
    assert "status 0 201" in shown and "full true" in shown and " true\n" in shown.split("signer", 1)[1], shown
    assert "1.3.6.1.5.5.7.7.7 2711" in shown, shown            # recipientNonce
    assert "1.3.6.1.5.5.7.7.4 c0ffee" in shown, shown          # dataReturn
    assert "1.3.6.1.5.5.7.7.5 10132985123483401" in shown, shown
    opened(tmp, server, answer)
    # The certificate for its key, out of the bag.
    spki = run_program("openssl", "pkey", "-inform", "DER", "-in", tmp / "first.key", "-pubout", "-outform", "DER").stdout
    digest = hashlib.sha256(spki).hexdigest()
    assert f"CN=castle {digest}" in shown, shown
    pem = run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", tmp / "first.crp").out
    mine = next("-----BEGIN" + part for part in pem.split("-----BEGIN")[1:]
                if "CN=castle" in run_program("openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253", stdin="-----BEGIN" + part).out)
    run_program("openssl", "x509", "-outform", "DER", "-out", tmp / "castle.der", stdin=mine)
    # Rekey in CRMF, signed with it.
    peer("renew", tmp / "castle.der", tmp / "first.key", "CN=castle", tmp / "second")
    status, media_type, answer = server.send(tmp, (tmp / "second").read_bytes())
    (tmp / "second.crp").write_bytes(answer)
    assert "status 0 7" in peer("read", tmp / "second.crp"), peer("read", tmp / "second.crp")
    # Revoke the first one with itself.
    peer("revoke", tmp / "castle.der", tmp / "first.key", tmp / "third")
    status, media_type, answer = server.send(tmp, (tmp / "third").read_bytes())
    (tmp / "third.crp").write_bytes(answer)
    assert "status 0 5" in peer("read", tmp / "third.crp"), peer("read", tmp / "third.crp")
    # A wrong secret.
    peer("enroll", "bouncy", "guess", "CN=castle", tmp / "fourth")
    _, _, answer = server.send(tmp, (tmp / "fourth").read_bytes())
    (tmp / "fourth.crp").write_bytes(answer)
    assert "status 2 103 info 7" in peer("read", tmp / "fourth.crp"), peer("read", tmp / "fourth.crp")
    server.stop()


if __name__ == "__main__":
    run(globals())
