"""The issuing key in an HSM (SoftHSM), reached by OpenSSL's pkcs11-provider: docs/operations.md, "Keep the issuing key in an HSM"."""
import glob
import os
import re
from concurrent.futures import ThreadPoolExecutor

from harness import ESTUARY, Server, Skip, check_equal, check_in, need, run, run_program

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
URI = "pkcs11:token=estuary;object=issuing;type=private"
CONFIGURATION = """openssl_conf = openssl_init
[openssl_init]
providers = providers
alg_section = algorithms
[algorithms]
default_properties = ?provider=default
[providers]
default = default_provider
pkcs11 = pkcs11_provider
[default_provider]
activate = 1
[pkcs11_provider]
activate = 1
pkcs11-module-path = {module}
pkcs11-module-token-pin = file:{pin}
pkcs11-module-quirks = no-deinit
[req]
distinguished_name = dn
[dn]
"""


class Hsm:
    """A token with one key pair, and an OpenSSL that knows the way to it, for this process and those that it starts."""

    def __init__(self, tmp, key_type):
        if not glob.glob("/usr/lib/*/ossl-modules/pkcs11.so"):
            raise Skip("pkcs11-provider is not installed (Debian 13 has it, Debian 12 in its backports)")
        self.tmp = tmp
        (tmp / "tokens").mkdir()
        (tmp / "softhsm2.conf").write_text(f"directories.tokendir = {tmp}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(tmp / "softhsm2.conf")
        run_program(need("softhsm2-util"), "--init-token", "--free", "--label", "estuary", "--so-pin", "12345678", "--pin", "1234")
        run_program(need("pkcs11-tool"), "--module", MODULE, "--login", "--pin", "1234", "--token-label", "estuary", "--keypairgen",
                    "--key-type", key_type, "--label", "issuing", "--id", "01")
        self.pin("1234")
        (tmp / "openssl.cnf").write_text(CONFIGURATION.format(module=MODULE, pin=tmp / "pin"))

    def pin(self, digits):
        (self.tmp / "pin").write_text(digits)
        (self.tmp / "pin").chmod(0o600)

    def __enter__(self):
        self.before = os.environ.get("OPENSSL_CONF")
        os.environ["OPENSSL_CONF"] = str(self.tmp / "openssl.cnf")
        return self

    def __exit__(self, *_):
        os.environ.pop("OPENSSL_CONF")
        if self.before is not None:
            os.environ["OPENSSL_CONF"] = self.before


def server_with(tmp) -> Server:
    """An installation whose root has certified the HSM's key."""
    server = Server(tmp / "data")
    run_program("openssl", "req", "-new", "-key", URI, "-subj", "/CN=Test Issuing CA", "-out", tmp / "issuing.csr")
    (tmp / "issuing.ext").write_text("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                     "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run_program("openssl", "x509", "-req", "-in", tmp / "issuing.csr", "-CA", server.root, "-CAkey", server.dir / "ca/root.key", "-extfile",
                tmp / "issuing.ext", "-days", "3650", "-out", server.issuing)
    for name in ("ca/issuing.key", "tls/server.pem", "tls/server.key"):
        (server.dir / name).unlink()
    text = server.config.read_text()
    check_in('directory = "ca"', text)
    server.config.write_text(text.replace('directory = "ca"', f'certificate = "ca/issuing.pem"\nchain = "ca/root.pem"\nkey = "{URI}"'))
    return server


def verify(server, certificate):
    run_program("openssl", "verify", "-CAfile", server.root, "-untrusted", server.issuing, certificate)


def enroll(server, tmp, name):
    (tmp / f"{name}.password").write_text(server.credential(name))
    run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--subject", f"CN={name}", "--user", name, "--password-file",
                tmp / f"{name}.password", "--out", tmp / name)
    verify(server, tmp / name / "cert.pem")


def issue_and_revoke(tmp, key_type):
    with Hsm(tmp, key_type):
        server = server_with(tmp)
        check_in("serve will make it", server.admin("check").err)
        server.start()
        try:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda number: enroll(server, tmp, f"dev{number}"), range(8)))
            check_equal(len({(tmp / f"dev{number}/cert.pem").read_text() for number in range(8)}), 8, "each its own certificate")
            run_program(ESTUARY, "renew", tmp / "dev0")
            serial = re.search("=([0-9A-F]+)", run_program("openssl", "x509", "-in", tmp / "dev1/cert.pem", "-noout", "-serial").out).group(1)
            server.admin("cert", "revoke", serial)
            server.admin("crl", "publish")
            crl = next((server.dir / "crl").glob("issuing*.crl"))
            shown = run_program("openssl", "crl", "-inform", "DER", "-in", crl, "-CAfile", server.issuing, "-noout", "-text")
            check_in("verify OK", shown.err)   # signed in the HSM, too
            check_in(serial, shown.out)
            check_equal(server.stop(), 0)
            server.start()   # and again
            enroll(server, tmp, "later")
        finally:
            check_equal(server.stop(), 0)


def test_an_elliptic_key_in_the_hsm_issues(tmp):
    issue_and_revoke(tmp, "EC:prime256v1")


def test_an_rsa_key_in_the_hsm_issues(tmp):
    issue_and_revoke(tmp, "rsa:3072")


def test_a_wrong_pin_a_wrong_key_and_no_provider_are_told(tmp):
    """bug class 12: and the PIN is in no message."""
    with Hsm(tmp, "EC:prime256v1") as hsm:
        server = server_with(tmp)
        hsm.pin("998877")
        for command in (("check",), ("serve", "--listen", server.address)):
            done = server.admin(*command, check=False)
            assert done.returncode != 0, done.err
            check_in("ca.issuing", done.err)
            assert "998877" not in done.out + done.err, done.err
        hsm.pin("1234")
        text = server.config.read_text()
        server.config.write_text(text.replace("object=issuing", "object=another"))
        check_in("ca.issuing", server.admin("check", check=False).err)
        server.config.write_text(text)
        run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout",
                    tmp / "x.key", "-out", tmp / "x.pem", "-addext", "basicConstraints=critical,CA:TRUE")
        own = server.issuing.read_text()
        server.issuing.write_text((tmp / "x.pem").read_text())
        done = server.admin("check", check=False)
        assert done.returncode != 0 and "key" in done.err, done.err
        server.issuing.write_text(own)
    done = server.admin("check", check=False)   # without OPENSSL_CONF
    assert done.returncode != 0
    check_in("is it configured in openssl.cnf?", done.err)


if __name__ == "__main__":
    run(globals())
