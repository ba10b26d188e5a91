"""CMC (RFC 10002, 5272, 5273) with peers that are not ours: openssl cms, curl, Bouncy Castle; and with our own client."""
import hashlib
import hmac
import json
import os
import shutil
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
accept = ["secret", "certificate"]
path = "/manual"

[cmc.label.confirm]
profile = "device"
accept = ["secret", "certificate"]
confirm_within = "10m"
path = "/confirm"

[cmc.label.strict]
profile = "strict"
accept = ["secret", "certificate"]
key_reuse = false
revocation_by_secret = true
signing_time_tolerance = "1h"
path = "/strict"

[cmc.label.ras]
profile = "ra"
accept = ["secret"]
path = "/ras"

[cmc.label.other-ras]
profile = "ra"
accept = ["secret"]
path = "/other-ras"

[cmc.label.line-a]
profile = "device"
accept = ["registration authority"]
ra_labels = ["ras"]
path = "/line-a"

[cmc.label.line-b]
profile = "device"
accept = ["registration authority"]
ra_labels = ["other-ras"]
ra_may_prove_possession = false
path = "/line-b"

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

[profile.strict]
ca = "issuing"
key_types = ["p256"]
other_extensions = "refuse"
[profile.strict.subject]
allowed = ["CN"]

[profile.ra]
ca = "issuing"
key_types = ["p256"]
ext_key_usage = ["cmcRA"]
[profile.ra.subject]
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


started = []


def cmc_server(tmp) -> CmcServer:
    while started:   # one that a failed test left behind
        started.pop().stop()
    started.append(CmcServer(tmp / "data"))
    return started[0].start()


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


def element(octets: bytes, at: int):
    """(tag, start of content, end) of the DER or BER element there, definite lengths only."""
    size, start = octets[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(octets[start:start + count], "big"), start + count
    return octets[at], start, start + size


def elements(octets: bytes):
    """(tag, content, whole) of each DER element in a row."""
    at = 0
    while at < len(octets):
        tag, start, end = element(octets, at)
        yield tag, octets[start:end], octets[at:end]
        at = end


def inside(octets: bytes):
    """The elements of the one constructed element that these octets are."""
    (_, content, _), = elements(octets)
    return list(elements(content))


def number(content: bytes) -> int:
    return int.from_bytes(content, "big", signed=True)


class Answer:
    """A PKIResponse, its signature verified by openssl up to our root."""

    def __init__(self, tmp, server, answer: bytes):
        (tmp / "response").write_bytes(answer)
        run_program("openssl", "cms", "-verify", "-inform", "DER", "-in", tmp / "response", "-CAfile", server.root, "-purpose", "any",
                    "-certsout", tmp / "bag.pem", "-out", tmp / "content")
        shown = run_program("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp / "response").out
        assert f"({PKI_RESPONSE})" in shown, shown
        self.text = run_program("openssl", "asn1parse", "-inform", "DER", "-in", tmp / "content").out
        self.pem = run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", tmp / "response").out
        controls, contents, _ = inside((tmp / "content").read_bytes())
        self.controls = {}   # arc below id-cmc: the values
        for _, attribute, _ in elements(controls[1]):
            _, (_, _, kind), (_, values, _) = elements(attribute)
            arc = next(arc for arc in range(1, 40) if oid(f"1.3.6.1.5.5.7.7.{arc}") == kind)
            self.controls.setdefault(arc, []).append(values)
        self.contents = [list(elements(one))[1][2] for _, one, _ in elements(contents[1])]

    @property
    def statuses(self):
        """(CMCStatus, bodyPartIDs, CMCFailInfo or pendToken or None) of each statusInfoV2."""
        out = []
        for value in self.controls.get(25, []):
            (_, status, _), (_, parts, _), *rest = inside(value)
            info = None
            for tag, content, _ in rest:
                if tag == 0x02:
                    info = number(content)
                if tag == 0x30:
                    info = next(elements(content))[1]
            out.append((number(status), [number(part) for _, part, _ in elements(parts)], info))
        return out

    def certificate(self, subject: str) -> str:
        """PEM of the certificate of that name."""
        for one in self.pem.split("-----BEGIN")[1:]:
            pem = "-----BEGIN" + one
            if f"CN={subject}" in run_program("openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253", stdin=pem).out:
                return pem
        raise AssertionError(f"no certificate of {subject} in {self.pem}")


SUCCESS, FAILED, PENDING, NO_SUPPORT, CONFIRM_REQUIRED = 0, 2, 3, 4, 5
(BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST, BAD_TIME, BAD_CERT_ID, UNSUPPORTED_EXT, MUST_ARCHIVE_KEYS, BAD_IDENTITY, POP_REQUIRED,
 POP_FAILED, NO_KEY_REUSE, INTERNAL_CA_ERROR, TRY_LATER, AUTH_DATA_FAIL) = range(14)


def bag(tmp, answer: bytes) -> str:
    return run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", stdin=answer).out


def enrolled(tmp, server, name="dev1", path="/cmc", *options) -> Path:
    out = tmp / name
    server.cmc("enroll", path, "--name", name, "--secret-file", secret_file(tmp, server, name, "--uses", "9", "--profile", "any"), "--subject", f"CN={name}",
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
    read = Answer(tmp, server, answer)
    assert read.statuses == [(SUCCESS, [1], None)], read.statuses
    assert read.controls[7] == [tlv(0x04, bytes.fromhex("2711"))] and read.controls[4] == [tlv(0x04, b"where the key is")], read.text
    assert "CN=dev1" in certificate_text(read.certificate("dev1")).replace(" = ", "=")
    # By key identifier, with another digest, and without the certificate in the message.
    for options in (["-keyid"], ["-md", "sha384"], ["-nocerts"]):
        status, _, _ = server.send(tmp, sign(tmp, data, cert, key, PKI_DATA, *options))
        assert status == 200, options
    # Another content type, and another's signature.
    status, _, answer = server.send(tmp, sign(tmp, data, cert, key, PKI_RESPONSE))
    assert status == 200
    check_equal(Answer(tmp, server, answer).statuses, [(FAILED, [0], BAD_REQUEST)])
    server.stop()


def test_openssl_is_a_registration_authority(tmp):
    """The server's own certificate has id-kp-cmcRA: it signs for others, and adds what they did not ask for."""
    server = cmc_server(tmp)
    ra = server.dir / "tls/server.pem", server.dir / "tls/server.key"
    requests = [tcr(number, make_request(tmp, f"/CN=dev{number}", name=f"dev{number}")) for number in range(1, 6)]
    san = sequence(oid("2.5.29.17"), tlv(0x04, sequence(tlv(0x82, b"added.example"))))
    add = control(100, 8, sequence(integer(0), sequence(integer(2)), sequence(san)))
    status, media_type, answer = server.send(tmp, sign(tmp, pki_data([add], requests), *ra))
    assert (status, media_type) == (200, CERTS_ONLY), Answer(tmp, server, answer).statuses
    shown = bag(tmp, answer)
    assert all(f"dev{number}" in shown for number in range(1, 6)), shown
    (tmp / "bag").write_bytes(answer)
    pem = run_program("openssl", "pkcs7", "-inform", "DER", "-in", tmp / "bag", "-print_certs").out
    texts = [run_program("openssl", "x509", "-noout", "-text", stdin="-----BEGIN" + part).out for part in pem.split("-----BEGIN")[1:]]
    assert sum("DNS:added.example" in text for text in texts) == 1
    # A device cannot do that.
    out = enrolled(tmp, server)
    status, media_type, answer = server.send(tmp, sign(tmp, pki_data([add], requests), out / "cert.pem", out / "key.pem"))
    assert media_type == FULL_RESPONSE
    check_equal(Answer(tmp, server, answer).statuses, [(FAILED, [100], BAD_REQUEST)])
    server.stop()


def test_openssl_encrypts_and_decrypts(tmp):
    server = cmc_server(tmp)
    out = enrolled(tmp, server, "dev1", "/cmc", "--key-type", "rsa2048")
    cert, key = out / "cert.pem", out / "key.pem"
    responder = next((server.dir / "cmc").glob("*.pem"))
    signed = sign(tmp, pki_data(requests=[tcr(1, make_request(tmp, "/CN=dev1", name="next", key="rsa"))]), cert, key)
    # Inside of EnvelopedData is a SignedData without ContentInfo (RFC 5652 6.3); openssl takes octets as they come.
    (tmp / "inner").write_bytes(content_of_content_info(signed))
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=stranger", "-keyout", tmp / "stranger.key", "-out",
                tmp / "stranger.pem")
    stranger, answers = tmp / "stranger.pem", set()
    for cipher in ("-aes-128-cbc", "-aes-256-cbc"):
        envelope = retyped(encrypted(tmp, cipher, responder))
        status, media_type, answer = server.send(tmp, envelope)
        assert status == 200, answer
        (tmp / "answer.der").write_bytes(answer)
        shown = run_program("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp / "answer.der").out
        # The holder's key cannot receive by its keyUsage (digitalSignature): the answer comes in the clear, and says that all is well.
        assert "pkcs7-signedData" in shown, shown[:300]
        assert media_type == CERTS_ONLY, Answer(tmp, server, answer).text
        # However it fails to decrypt, the answer is the same (bug class 17): padding, key, content that is no SignedData, recipient.
        (tmp / "inner").write_bytes(b"hello")
        other = retyped(encrypted(tmp, cipher, responder))
        (tmp / "inner").write_bytes(content_of_content_info(signed))
        for spoilt in (flipped(envelope, -1), flipped(envelope, -40), flipped(envelope, len(envelope) // 4), other,
                       retyped(encrypted(tmp, cipher, stranger))):
            status, media_type, answer = server.send(tmp, spoilt)
            assert status == 200 and media_type == FULL_RESPONSE
            read = Answer(tmp, server, answer)
            check_equal(read.statuses, [(FAILED, [0], BAD_MESSAGE_CHECK)])
            answers.add(read.text)
    assert len(answers) == 1 and all("the message cannot be decrypted" in text for text in answers), answers
    server.stop()


def content_of_content_info(octets: bytes) -> bytes:
    _, inside, _ = element(octets, 0)
    _, _, after_oid = element(octets, inside)
    _, start, end = element(octets, after_oid)
    return octets[start:end]


def encrypted(tmp, cipher, recipient) -> Path:
    """The octets of `inner` as EnvelopedData, by openssl."""
    run_program("openssl", "cms", "-encrypt", "-binary", cipher, "-econtent_type", "1.2.840.113549.1.7.2", "-outform", "DER",
                "-in", tmp / "inner", "-out", tmp / "enveloped", "-recip", recipient)
    return tmp / "enveloped"


def flipped(octets: bytes, at: int) -> bytes:
    out = bytearray(octets)
    out[at] ^= 1
    return bytes(out)


def retyped(path: Path) -> bytes:
    """The same EnvelopedData with id-signedData as the type of its content, where openssl wrote id-data."""
    octets = path.read_bytes()
    data, signed = oid("1.2.840.113549.1.7.1"), oid("1.2.840.113549.1.7.2")
    return octets if signed in octets else octets.replace(data, signed)


# -- more of what openssl can be made to say -----------------------------------------------------------------------------------

def spki_of(tmp, name) -> bytes:
    return run_program("openssl", "pkey", "-in", tmp / f"{name}.key", "-pubout", "-outform", "DER").stdout


def common_name(text: str) -> bytes:
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0C, text.encode()))))


def cert_request(tmp, number: int, subject: str, name: str, *controls: bytes) -> bytes:
    """CertRequest of CRMF for a key that is there: subject and publicKey."""
    template = sequence(tlv(0xA5, common_name(subject)), tlv(0xA6, *(whole for _, _, whole in inside(spki_of(tmp, name)))))
    return sequence(integer(number), template, *([sequence(*controls)] if controls else []))


def crm(tmp, number: int, subject: str, name: str) -> bytes:
    """TaggedRequest of CRMF, its key's signature by openssl dgst."""
    request = cert_request(tmp, number, subject, name)
    (tmp / "tbs").write_bytes(request)
    signature = run_program("openssl", "dgst", "-sha256", "-sign", tmp / f"{name}.key", tmp / "tbs").stdout
    popo = tlv(0xA1, sequence(oid("1.2.840.10045.4.3.2")), tlv(0x03, b"\0", signature))
    return tlv(0xA1, request, popo)


def unproven(tmp, number: int, subject: str, name: str) -> bytes:
    """The same with a key that does not sign: POP by a challenge (subsequentMessage, challengeResp)."""
    key_encipherment = tlv(0xA2, tlv(0x81, b"\x01"))
    return tlv(0xA1, cert_request(tmp, number, subject, name), key_encipherment)


def extension_request(directory, subject, name, extension, *options) -> bytes:
    return make_request(directory, subject, name, "ec", ["-addext", extension, *options])


def identity_of(certificate: Path):
    """(issuer's Name, serial number as an INTEGER) of a certificate."""
    der = run_program("openssl", "x509", "-in", certificate, "-outform", "DER").stdout
    fields = inside(inside(der)[0][2])
    return fields[3][2], fields[1][2]


def ask(tmp, server, path, data: bytes, holder: Path) -> Answer:
    status, media_type, answer = server.send(tmp, sign(tmp, data, holder / "cert.pem", holder / "key.pem"), path)
    assert (status, media_type) == (200, FULL_RESPONSE), (status, media_type)
    return Answer(tmp, server, answer)


NONCE = control(90, 6, tlv(0x04, b"a nonce"))


def test_a_batch_of_both_syntaxes(tmp):
    server = cmc_server(tmp)
    make_request(tmp, "/CN=x", name="crmf1")
    make_request(tmp, "/CN=x", name="crmf2")
    requests = [tcr(1, make_request(tmp, "/CN=a", name="p1")), crm(tmp, 2, "b", "crmf1"), tcr(3, make_request(tmp, "/CN=c", name="p2")),
                crm(tmp, 4, "d", "crmf2")]
    ra = server.dir / "tls/server.pem", server.dir / "tls/server.key"
    _, media_type, answer = server.send(tmp, sign(tmp, pki_data([NONCE], requests), *ra))
    assert media_type == FULL_RESPONSE
    read = Answer(tmp, server, answer)
    check_equal(read.statuses, [(SUCCESS, [1, 2, 3, 4], None)])
    for subject, key in (("a", "p1"), ("b", "crmf1"), ("c", "p2"), ("d", "crmf2")):
        public = run_program("openssl", "x509", "-noout", "-pubkey", stdin=read.certificate(subject)).out
        check_equal(public, run_program("openssl", "pkey", "-in", tmp / f"{key}.key", "-pubout").out, subject)
    # A CRMF signature by another key is no proof of possession, and spoils nobody else's request.
    spoilt = crm(tmp, 2, "b", "crmf1").replace(spki_of(tmp, "crmf1")[-65:], spki_of(tmp, "crmf2")[-65:])
    _, _, answer = server.send(tmp, sign(tmp, pki_data([NONCE], [spoilt, tcr(3, make_request(tmp, "/CN=e", name="p3"))]), *ra))
    check_equal(Answer(tmp, server, answer).statuses, [(FAILED, [2], POP_FAILED), (SUCCESS, [3], None)])
    server.stop()


def test_registration_authorities_count_where_they_are_named(tmp):  # bug class 7
    server = cmc_server(tmp)
    authorities = {"/ras": enrolled(tmp, server, "first-ra", "/ras"), "/other-ras": enrolled(tmp, server, "second-ra", "/other-ras")}
    for line, home in (("/line-a", "/ras"), ("/line-b", "/other-ras")):
        for label, holder in authorities.items():
            data = pki_data([NONCE], [tcr(1, make_request(tmp, "/CN=someone", name="someone"))])
            expected = (SUCCESS, [1], None) if label == home else (FAILED, [1], BAD_IDENTITY)
            check_equal(ask(tmp, server, line, data, holder).statuses, [expected], f"{label} at {line}")
    # What one registration authority's line issued is not the other's to revoke, or to read (bug class 7, every verb).
    data = pki_data([NONCE], [tcr(1, make_request(tmp, "/CN=ours", name="ours"))])
    (tmp / "ours.pem").write_text(ask(tmp, server, "/line-a", data, authorities["/ras"]).certificate("ours"))
    issuer, serial = identity_of(tmp / "ours.pem")
    revoke = pki_data([control(1, 17, sequence(issuer, serial, tlv(0x0A, b"\x04")))])
    fetch = pki_data([NONCE, control(1, 15, sequence(tlv(0xA4, issuer), serial))])
    for data in (revoke, fetch):
        check_equal(ask(tmp, server, "/line-b", data, authorities["/other-ras"]).statuses, [(FAILED, [1], BAD_CERT_ID)])
    check_equal(ask(tmp, server, "/line-a", fetch, authorities["/ras"]).statuses, [(SUCCESS, [1], None)])
    check_equal(ask(tmp, server, "/line-a", revoke, authorities["/ras"]).statuses, [(SUCCESS, [1], None)])
    server.stop()


def test_a_registration_authority_vouches_for_possession(tmp):
    server = cmc_server(tmp)
    first, second = enrolled(tmp, server, "first-ra", "/ras"), enrolled(tmp, server, "second-ra", "/other-ras")
    make_request(tmp, "/CN=x", name="deaf", key="rsa")
    witness = control(9, 11, sequence(integer(0), sequence(integer(5))))
    data = pki_data([witness, NONCE], [unproven(tmp, 5, "deaf", "deaf")])
    check_equal(ask(tmp, server, "/line-a", data, first).statuses, [(SUCCESS, [5], None)])
    # Where it may not: popFailed, and no challenge (RFC 5272 6.8).
    read = ask(tmp, server, "/line-b", data, second)
    check_equal(read.statuses, [(FAILED, [5], POP_FAILED)])
    assert 9 not in read.controls, read.text
    server.stop()


def test_a_challenge_is_decrypted_by_openssl_after_a_restart(tmp):
    """encryptedPOP and decryptedPOP (RFC 5272 6.7), over two messages and a restart of the server."""
    server = cmc_server(tmp)
    holder = enrolled(tmp, server, "dev1")
    make_request(tmp, "/CN=x", name="mute", key="rsa")
    request = unproven(tmp, 5, "dev1", "mute")
    read = ask(tmp, server, "/cmc", pki_data([], [request]), holder)
    check_equal(read.statuses, [(FAILED, [5], POP_REQUIRED)])
    echoed, envelope, pop_algorithm, _, witness = (whole for _, _, whole in inside(read.controls[9][0]))
    check_equal(echoed, request)
    (tmp / "envelope").write_bytes(envelope)
    proof = run_program("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp / "envelope", "-inkey", tmp / "mute.key").stdout
    assert hashlib.sha256(proof).digest() == witness[2:] and len(proof) == 64
    server.stop()
    server.start()

    def answer(value):
        mac = hmac.new(value, request, hashlib.sha256).digest()
        return ask(tmp, server, "/cmc", pki_data([control(9, 10, sequence(integer(5), pop_algorithm, tlv(0x04, mac))), NONCE], [request]),
                   holder)

    check_equal(answer(bytes(64)).statuses, [(FAILED, [5], POP_FAILED)])
    read = answer(proof)
    check_equal(read.statuses, [(SUCCESS, [5], None)])
    public = [run_program("openssl", "x509", "-noout", "-pubkey", stdin="-----BEGIN" + one).out for one in read.pem.split("-----BEGIN")[1:]]
    assert run_program("openssl", "pkey", "-in", tmp / "mute.key", "-pubout").out in public
    server.stop()


def test_what_waits_is_asked_for_after_a_restart(tmp):
    server = cmc_server(tmp)
    holder, other = enrolled(tmp, server, "dev1", "/cmc"), enrolled(tmp, server, "dev2", "/cmc")
    requests = [tcr(1, make_request(tmp, "/CN=dev1", name="one")), tcr(2, make_request(tmp, "/CN=dev1", name="two"))]
    read = ask(tmp, server, "/manual", pki_data([], requests), holder)
    (status, parts, token), = read.statuses
    assert (status, parts) == (PENDING, [1, 2]), read.text
    server.stop()
    server.start()
    query = pki_data([control(1, 21, tlv(0x04, token))])
    check_equal(ask(tmp, server, "/manual", query, holder).statuses, [(PENDING, [1, 2], token)])
    waiting = sorted(json.loads(server.admin("request", "list", "--json").out), key=lambda one: one["id"])
    server.admin("request", "approve", str(waiting[0]["id"]))
    server.admin("request", "deny", str(waiting[1]["id"]))
    read = ask(tmp, server, "/manual", query, holder)
    check_equal(sorted(read.statuses), [(SUCCESS, [1], None), (FAILED, [2], BAD_IDENTITY)])
    public = run_program("openssl", "x509", "-noout", "-pubkey", stdin=read.certificate("dev1")).out
    # Nobody else gets it (bug class 7).
    check_equal(ask(tmp, server, "/manual", query, other).statuses, [(FAILED, [1], BAD_REQUEST)])
    assert run_program("openssl", "pkey", "-in", tmp / "one.key", "-pubout").out == public
    server.stop()


def test_certificates_are_rejected_by_their_holder(tmp):
    server = cmc_server(tmp)
    holder = enrolled(tmp, server, "dev1", "/confirm")
    request = make_request(tmp, "/CN=dev1", name="next")
    read = ask(tmp, server, "/confirm", pki_data([], [tcr(1, request)]), holder)
    check_equal(read.statuses, [(CONFIRM_REQUIRED, [1], None)])
    (tmp / "next.pem").write_text(read.certificate("dev1"))
    issuer, serial = identity_of(tmp / "next.pem")
    status = control(1, 25, sequence(integer(FAILED), sequence(integer(0)), tlv(0x0C, b"not what I wanted"), integer(BAD_REQUEST)))
    (tmp / "new").mkdir()
    shutil.copy(tmp / "next.pem", tmp / "new/cert.pem")
    shutil.copy(tmp / "next.key", tmp / "new/key.pem")
    rejection = pki_data([status, control(2, 24, sequence(issuer, serial))])
    check_equal(ask(tmp, server, "/confirm", rejection, tmp / "new").statuses, [(SUCCESS, [2], None)])
    digits = serial[2:].hex().upper()
    listed = server.admin("cert", "list", "--serial", digits.lstrip("0"), "--json").out
    assert "revoked" in listed.lower(), listed
    server.stop()


def test_revocation_by_the_secret(tmp):
    server = cmc_server(tmp)
    out = enrolled(tmp, server, "dev1", "/strict")
    options = ["--certificate", out / "cert.pem", "--reason", "keyCompromise", "--name", "dev1", "--by-secret"]
    (tmp / "guess").write_text("a guess\n")
    refused = server.cmc("revoke", "/strict", *options, "--secret-file", tmp / "guess", check=False)
    assert refused.returncode == 3 and "badCertId" in refused.err, refused.err
    assert "revoked" in server.cmc("revoke", "/strict", *options, "--secret-file", tmp / "dev1.secret").out
    server.stop()


def test_every_fail_info(tmp):
    """Each CMCFailInfo where it belongs. mustArchiveKeys has no place here; internalCAError and tryLater are in the unit tests."""
    server = cmc_server(tmp)
    holder = enrolled(tmp, server, "dev1", "/strict")
    cert, key = holder / "cert.pem", holder / "key.pem"
    issuer, serial = identity_of(cert)
    request = tcr(1, make_request(tmp, "/CN=dev1", name="next"))

    def statuses(data, *options):
        message = sign(tmp, data, cert, key, PKI_DATA, *options)
        status, media_type, answer = server.send(tmp, message, "/strict")
        assert (status, media_type) == (200, FULL_RESPONSE), (status, media_type)
        return Answer(tmp, server, answer).statuses

    check_equal(statuses(pki_data([], [tcr(1, make_request(tmp, "/CN=dev1", name="p384", key="p384"))])), [(FAILED, [1], BAD_ALG)])
    message = sign(tmp, pki_data([], [request]), cert, key)
    check_equal(Answer(tmp, server, server.send(tmp, flipped(message, -1), "/strict")[2]).statuses, [(FAILED, [0], BAD_MESSAGE_CHECK)])
    check_equal(statuses(pki_data([control(7, 37, sequence(integer(1)))], [request])), [(FAILED, [7], BAD_REQUEST)])
    check_equal(Answer(tmp, server, server.send(tmp, signed_at(tmp, pki_data([], [request]), holder, "200101000000Z"), "/strict")[2]).statuses,
                [(FAILED, [0], BAD_TIME)])
    unknown = serial[:2] + bytes([serial[2] ^ 1]) + serial[3:]
    check_equal(statuses(pki_data([control(7, 17, sequence(issuer, unknown, tlv(0x0A, b"\x00")))])), [(FAILED, [7], BAD_CERT_ID)])
    odd = extension_request(tmp, "/CN=dev1", "odd", "1.2.3.4=ASN1:NULL")
    check_equal(statuses(pki_data([], [tcr(1, odd)])), [(FAILED, [1], UNSUPPORTED_EXT)])
    check_equal(statuses(pki_data([], [tcr(1, make_request(tmp, "/CN=another", name="another"))])), [(FAILED, [1], BAD_REQUEST)])
    make_request(tmp, "/CN=x", name="mute", key="p384")
    # Whoever is nobody: signed by a certificate of no CA here.
    run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=dev1", "-keyout",
                tmp / "own.key", "-out", tmp / "own.pem")
    own = sign(tmp, pki_data([], [request]), tmp / "own.pem", tmp / "own.key")
    check_equal(Answer(tmp, server, server.send(tmp, own, "/strict")[2]).statuses, [(FAILED, [1], BAD_IDENTITY)])
    make_request(tmp, "/CN=x", name="mute")
    check_equal(statuses(pki_data([], [unproven(tmp, 5, "dev1", "mute")])), [(FAILED, [5], POP_REQUIRED)])
    check_equal(statuses(pki_data([], [tcr(1, flipped(make_request(tmp, "/CN=dev1", name="bad"), -1))])), [(FAILED, [1], POP_FAILED)])
    run_program("openssl", "req", "-new", "-key", key, "-subj", "/CN=dev1", "-outform", "DER", "-out", tmp / "same.der")
    check_equal(statuses(pki_data([], [tcr(1, (tmp / "same.der").read_bytes())])), [(FAILED, [1], NO_KEY_REUSE)])
    check_equal(statuses(pki_data([control(7, 27, integer(8))])), [(FAILED, [7], AUTH_DATA_FAIL)])
    other_format = tlv(0xA2, integer(9), oid("1.2.3"), tlv(0x05))
    check_equal(sorted(statuses(pki_data([], [request, other_format]))), [(FAILED, [1], BAD_REQUEST), (NO_SUPPORT, [9], None)])
    server.stop()


def signed_at(tmp, content: bytes, holder: Path, utc_time: str) -> bytes:
    """A full PKI request with a signingTime of the test's choice, by openssl dgst."""
    issuer, serial = identity_of(holder / "cert.pem")
    sha256 = sequence(oid("2.16.840.1.101.3.4.2.1"))

    def attribute(last, value):
        return sequence(oid(f"1.2.840.113549.1.9.{last}"), tlv(0x31, value))

    attributes = b"".join([attribute(3, oid(PKI_DATA)), attribute(5, tlv(0x17, utc_time.encode())),
                           attribute(4, tlv(0x04, hashlib.sha256(content).digest()))])
    (tmp / "attributes").write_bytes(tlv(0x31, attributes))
    signature = run_program("openssl", "dgst", "-sha256", "-sign", holder / "key.pem", tmp / "attributes").stdout
    signer = sequence(integer(1), sequence(issuer, serial), sha256, tlv(0xA0, attributes), sequence(oid("1.2.840.10045.4.3.2")),
                      tlv(0x04, signature))
    data = sequence(integer(3), tlv(0x31, sha256), sequence(oid(PKI_DATA), tlv(0xA0, tlv(0x04, content))), tlv(0x31, signer))
    return sequence(oid("1.2.840.113549.1.7.2"), tlv(0xA0, data))


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
    assert (status, media_type) == (200, FULL_RESPONSE)
    check_equal(Answer(tmp, server, answer).statuses, [(FAILED, [1], BAD_IDENTITY)])
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
    check_equal(Answer(tmp, server, base64.b64decode(answer)).statuses, [(FAILED, [0], BAD_MESSAGE_CHECK)])
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
    check_equal(Answer(tmp, server, (tmp / "dev1.crp").read_bytes()).statuses, [(FAILED, [1], BAD_IDENTITY)])
    assert server.admin("cmc", "--vouch", request).out.strip() == str(tmp / "dev1.p7c")
    assert "dev1" in bag(tmp, (tmp / "dev1.p7c").read_bytes())
    ra = server.dir / "tls/server.pem", server.dir / "tls/server.key"
    server.start()   # makes the server's own certificate, a registration authority's
    server.stop()
    full = tmp / "dev2.crq"
    full.write_bytes(sign(tmp, pki_data([control(9, 6, tlv(0x04, b"nonce"))], [tcr(1, make_request(tmp, "/CN=dev2", name="dev2"))]), *ra))
    server.admin("cmc", full, "--out", tmp / "answer.crp")
    read = Answer(tmp, server, (tmp / "answer.crp").read_bytes())
    assert read.controls[7] == [tlv(0x04, b"nonce")] and read.statuses == [(SUCCESS, [1], None)], read.text


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
    assert "status 0 201 202" in shown and "full true" in shown and " true\n" in shown.split("signer", 1)[1], shown
    assert "1.3.6.1.5.5.7.7.7 2711" in shown, shown            # recipientNonce
    assert "1.3.6.1.5.5.7.7.4 c0ffee" in shown, shown          # dataReturn
    assert "1.3.6.1.5.5.7.7.5 10132985123483401" in shown, shown
    check_equal(Answer(tmp, server, answer).statuses, [(SUCCESS, [201, 202], None)])
    # The certificate for its key, out of the bag.
    spki = run_program("openssl", "pkey", "-inform", "DER", "-in", tmp / "first.key", "-pubout", "-outform", "DER").stdout
    digest = hashlib.sha256(spki).hexdigest()
    assert f"CN=castle {digest}" in shown, shown
    pem = run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", tmp / "first.crp").out
    public = run_program("openssl", "pkey", "-inform", "DER", "-in", tmp / "first.key", "-pubout").out
    mine = next("-----BEGIN" + part for part in pem.split("-----BEGIN")[1:]
                if run_program("openssl", "x509", "-noout", "-pubkey", stdin="-----BEGIN" + part).out == public)
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
    try:
        run(globals())
    finally:
        while started:
            started.pop().stop()
