"""What the suites of CMP share: a server that speaks it, and OpenSSL's client."""
import contextlib
from pathlib import Path

from harness import *  # noqa: F403


class CmpServer(Server):
    """A server that speaks CMP over plain HTTP, with a label for each way to ask."""

    LABELS = """
[cmp]
listen = ["127.0.0.1:{port}"]
https = true
legacy_paths = ["/pkix/", "/cmp=explicit"]

[cmp.label.default]
profile = "device"
enroll = ["secret", "certificate"]
ca_pubs = true

[cmp.label.explicit]
profile = "device"
enroll = ["secret", "certificate"]
implicit_confirm = false

[cmp.label.manual]
profile = "manual"
enroll = ["secret"]

[cmp.label.closed]
profile = "device"
update = false
revoke = false

[profile.manual]
ca = "issuing"
key_types = ["p256"]
manual_approval = true
poll_interval = "1s"
[profile.manual.subject]
allowed = ["CN"]
"""

    def __init__(self, directory: Path, extra="", init_options=()):
        super().__init__(directory, init_options)
        self.cmp_port = free_port()
        self.config.write_text(self.config.read_text() + self.LABELS.format(port=self.cmp_port) + extra)

    def secret(self, name, *options):
        return self.admin("credential", "add", name, "--type", "cmp", "--quiet", *options).out.strip()

    def cmp(self, command, *options, path=".well-known/cmp", check=True, tmp=None):
        """One run of `openssl cmp`. Status and output in what it gives."""
        done = run_program("openssl", "cmp", "-cmd", command, "-server", f"http://127.0.0.1:{self.cmp_port}/{path}",
                           "-recipient", "/CN=Test Issuing CA", "-total_timeout", "60", *options, check=check)
        return done


    def trust_maker(self, anchor, **labels):
        """Stops, and starts again with labels (a name, and what else it says) that enroll devices of this maker."""
        self.stop()
        (self.dir / "acme.pem").write_text(anchor.read_text())
        text = '\n[manufacturer.acme]\nanchors = "acme.pem"\ncheck_status = "off"\n'
        for name, more in labels.items():
            text += f'[cmp.label.{name}]\nprofile = "device"\nenroll = ["manufacturer:acme"]\n{more}\n'
        self.config.write_text(self.config.read_text() + text)
        self.start()


def with_server(test, make=CmpServer):
    def run_it(tmp):
        server = make(tmp / "data").start()
        try:
            test(server, tmp)
        except Exception:
            print("-- the server's log --\n" + server.log()[-6000:])
            raise
        finally:
            server.stop()
    run_it.__doc__ = test.__doc__
    return run_it


@contextlib.contextmanager
def no_crl(server):
    """As before the first CRL of the CA was made."""
    file = next(server.dir.rglob("issuing-0.crl"))
    aside = file.with_suffix(".aside")
    file.rename(aside)
    try:
        yield
    finally:
        aside.rename(file)


def openssl_version():
    """As (major, minor): what its client can do differs."""
    return tuple(int(part) for part in run_program("openssl", "version").out.split()[1].split(".")[:2])


class OpensslThatWaits:
    """openssl cmp, asking for what a person has to approve first. It gives up when it finds nobody there to poll."""

    def __init__(self, server, path, *options):
        self.process = subprocess.Popen(["stdbuf", "-oL", "openssl", "cmp", "-server", f"http://127.0.0.1:{server.cmp_port}/{path}", "-recipient", "/CN=x",
                                         "-total_timeout", "60", *[str(option) for option in options]],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ""

    def asleep(self):
        """Returns when it has polled for the first time: until the next time the server may go away."""
        for line in self.process.stdout:
            self.said += line
            if "received POLLREP" in line:
                return
        raise AssertionError("openssl did not wait: " + self.said)

    def end(self):
        self.said += self.process.communicate(timeout=60)[0]
        check_equal(self.process.returncode, 0, self.said)


def new_key(tmp, name):
    run_program("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp / f"{name}.key")
    return tmp / f"{name}.key"


def mac(server, name, *options):
    return ["-ref", name, "-secret", f"pass:{server.secret(name, *options)}"]


def enrolled(server, tmp, name, *options, path=".well-known/cmp"):
    """A certificate by ir with a MAC: options of whoever has it."""
    key = new_key(tmp, name)
    server.cmp("ir", *mac(server, name), "-newkey", key, "-subject", f"/CN={name}", "-certout", tmp / f"{name}.pem", *options, path=path)
    return ["-cert", tmp / f"{name}.pem", "-key", key, "-trusted", server.root, "-untrusted", server.issuing]


def verify(server, certificate):
    run_program("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", server.issuing, certificate)


# -- our own client
OK, FAILED, USAGE, REFUSED, NOT_TRUSTED, PENDING, TRY_AGAIN = 0, 1, 2, 3, 4, 5, 6


def estuary(*options, status=OK):
    """One run of the client, with the exit status that it must have."""
    done = run_program(ESTUARY, *options, check=False)
    assert done.returncode == status, f"{options} exited with {done.returncode}, not {status}\n{done.out}{done.err}"
    return done


def login(server, tmp, name, *options):
    (tmp / f"{name}.pw").write_text(server.secret(name, *options) + "\n")
    return ["--user", name, "--password-file", tmp / f"{name}.pw"]


def url_of(server):
    return f"http://127.0.0.1:{server.cmp_port}"
