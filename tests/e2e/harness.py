"""What the end-to-end suites share: a server of our own in a fresh directory, and ways to talk to it with real programs.

A suite is a file of functions `test_…`; `run(globals())` at its end runs them all, each with what its parameters name:
`server` (a fresh running server), `tmp` (an empty directory).
"""
import base64
import inspect
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

BIN = Path(os.environ.get("ESTUARY_BIN", Path(__file__).resolve().parents[2] / "build/release/bin"))
ESTUARYD = str(BIN / "estuaryd")
ESTUARY = str(BIN / "estuary")
WELL_KNOWN = "/.well-known/est"


class Skip(Exception):
    """Raised by a test that cannot run here; shown, never silent."""


def need(program: str) -> str:
    """The path of a program that the test talks to; skips visibly without it."""
    found = shutil.which(program)
    if not found:
        raise Skip(f"{program} is not installed (scripts/setup does it)")
    return found


def run_program(*command, check=True, stdin=None, timeout=120, **kwargs) -> subprocess.CompletedProcess:
    """Runs a program to its end; its output in the exception if it fails and `check` is set."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run([str(part) for part in command], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, **kwargs)
    done.out = done.stdout.decode(errors="replace")
    done.err = done.stderr.decode(errors="replace")
    if check and done.returncode != 0:
        raise AssertionError(f"{command} exited with {done.returncode}\n{done.out}{done.err}")
    return done


def free_port() -> int:
    """Below those that the system gives to clients: one of them could hold the port while a server is started anew."""
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Server:
    """One estuaryd with its data directory."""

    def __init__(self, directory: Path, init_options=(), name="Test"):
        self.dir = directory
        self.port = free_port()
        self.status_port = free_port()
        self.process = None
        self.log_path = directory.parent / (directory.name + ".log")
        # Suites run side by side: each server's status listener has a port of its own, in certificates, too.
        run_program(ESTUARYD, "init", "--dir", self.dir, "--name", name, "--status-url", self.status_url, *init_options)
        text = self.config.read_text()
        self.config.write_text(text.replace('listen = ["127.0.0.1:8442"]', f'listen = ["127.0.0.1:{self.status_port}"]'))

    # -- the process ------------------------------------------------------------------------------------------------
    def start(self, *options, wrapper=()):
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([*wrapper, ESTUARYD, "serve", "--dir", str(self.dir), "--listen", self.address, *options],
                                        stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError("the server does not listen\n" + self.log())

    def stop(self, how=signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(timeout=30)
        self.process = None
        return status

    def reload(self):
        seen = self.log().count("reloaded")
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.log().count("reloaded") > seen)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    # -- places -------------------------------------------------------------------------------------------------------
    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.address}"

    @property
    def status_url(self) -> str:
        return f"http://127.0.0.1:{self.status_port}"

    @property
    def root(self) -> Path:
        return self.dir / "ca/root.pem"

    @property
    def issuing(self) -> Path:
        return self.dir / "ca/issuing.pem"

    @property
    def config(self) -> Path:
        return self.dir / "estuary.toml"

    # -- the operator ---------------------------------------------------------------------------------------------------
    def admin(self, *command, check=True, **kwargs):
        return run_program(ESTUARYD, *command, "--dir", self.dir, check=check, **kwargs)

    def credential(self, name: str, *options) -> str:
        """Adds a credential and returns its generated password."""
        return self.admin("credential", "add", name, "--quiet", *options).out.strip()

    # -- clients ----------------------------------------------------------------------------------------------------------
    def curl(self, path: str, *options, check=False):
        """Status, headers and body of one request by curl; a path that starts with / is taken as it is."""
        url = self.url + (path if path.startswith("/") else f"{WELL_KNOWN}/{path}")
        done = run_program(need("curl"), "-sS", "--cacert", self.root, "-i", "--path-as-is", *options, url, check=check)
        if done.returncode != 0:
            return Reply(0, {}, done.err)
        return Reply.parse(done.stdout)

    def post(self, path: str, der: bytes, *options, body=None, content_type="application/pkcs10", directory=None):
        """POSTs a certification request with curl."""
        with tempfile.NamedTemporaryFile(dir=directory) as file:
            file.write(base64.encodebytes(der) if body is None else body)
            file.flush()
            return self.curl(path, "-H", f"Content-Type: {content_type}", "--data-binary", f"@{file.name}", *options)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @staticmethod
    def parse(raw: bytes) -> "Reply":
        head, _, body = raw.partition(b"\r\n\r\n")
        while head.startswith((b"HTTP/1.1 100", b"HTTP/1.1 401")) and body.startswith(b"HTTP/1.1 "):
            head, _, body = body.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), value.strip())
        return Reply(int(lines[0].split()[1]), headers, body.decode(errors="replace"))

    def certificates(self) -> str:
        """PEM of the certs-only body, as openssl reads it."""
        return run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", stdin=base64.b64decode(self.body)).out

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


def make_request(directory: Path, subject: str, name="dev", key="ec", extra=()) -> bytes:
    """A key (NAME.key) and the DER of its certification request, by openssl."""
    kinds = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
             "rsa": ["rsa:2048"], "rsa3072": ["rsa:3072"], "rsa1024": ["rsa:1024"], "ed25519": ["ed25519"],
             "ml-dsa-65": ["ML-DSA-65"]}
    run_program("openssl", "req", "-new", "-newkey", *kinds[key], "-nodes", "-keyout", directory / f"{name}.key",
                "-subj", subject, "-outform", "DER", "-out", directory / f"{name}.der", *extra)
    return (directory / f"{name}.der").read_bytes()


class Asked:
    """One request that a StrangeServer got."""

    def __init__(self, connection, method, path, headers, body, tls_unique, client_certificate):
        self.connection, self.method, self.path, self.headers, self.body = connection, method, path, headers, body
        self.tls_unique, self.client_certificate = tls_unique, client_certificate
        self.at = time.monotonic()

    @property
    def operation(self) -> str:
        return self.path.rpartition("/")[2]

    def request_text(self) -> str:
        """`openssl req -text` of the certification request in the body, its self-signature verified."""
        return run_program("openssl", "req", "-inform", "DER", "-noout", "-text", "-verify", stdin=base64.b64decode(self.body)).out

    def challenge_password(self):
        found = re.search(r"challengePassword\s*:(\S+)", self.request_text())
        return found and found.group(1)

    def public_key(self) -> str:
        return run_program("openssl", "req", "-inform", "DER", "-noout", "-pubkey", stdin=base64.b64decode(self.body)).out

    def __repr__(self):
        return f"<{self.connection}: {self.method} {self.path}>"


class StrangeServer:
    """A small EST server with a CA of its own (openssl), in threads of the test, that behaves as the test says and remembers what
    it was asked.

    `answer(asked)` gives (status, headers, body), "drop" to close the connection without a word, or None for what a server
    usually does. TLS 1.2 unless told otherwise: there the tls-unique of a session can be had.
    """

    def __init__(self, directory: Path, answer=lambda asked: None, ca=None, tls_max=ssl.TLSVersion.TLSv1_2, host="IP:127.0.0.1"):
        directory.mkdir()
        self.dir, self.answer = directory, answer
        self.asked, self.handshakes_failed, self.ended = [], 0, []
        self.ca = ca or self._make_ca()
        self._issue(self._request("/CN=strange server", "server"), f"subjectAltName={host}\nextendedKeyUsage=serverAuth", "server.pem")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / "server.pem", directory / "server.key")
        self.context.load_verify_locations(self.root)
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.context.maximum_version = tls_max
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def root(self) -> Path:
        return self.ca / "root.pem"

    def paths(self):
        return [(asked.connection, asked.operation) for asked in self.asked]

    def posts(self):
        return [asked for asked in self.asked if asked.method == "POST"]

    def _make_ca(self) -> Path:
        run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", f"/CN=CA of {self.dir.name}", "-keyout", self.dir / "root.key", "-out", self.dir / "root.pem",
                    "-addext", "keyUsage=critical,keyCertSign")
        return self.dir

    def _request(self, subject, name) -> bytes:
        return make_request(self.dir, subject, name=name)

    def _issue(self, der: bytes, extensions: str, name: str) -> Path:
        (self.dir / "extensions").write_text(extensions + "\nauthorityKeyIdentifier=keyid\n")
        run_program("openssl", "x509", "-req", "-inform", "DER", "-days", "2", "-CA", self.root, "-CAkey", self.ca / "root.key",
                    "-extfile", self.dir / "extensions", "-out", self.dir / name, stdin=der)
        return self.dir / name

    def certs_only(self, pem: Path):
        body = run_program("openssl", "crl2pkcs7", "-nocrl", "-certfile", pem, "-outform", "DER").stdout
        return 200, {"Content-Type": "application/pkcs7-mime; smime-type=certs-only"}, base64.encodebytes(body)

    def usual_answer(self, asked):
        if asked.operation == "cacerts":
            return self.certs_only(self.root)
        if asked.operation == "csrattrs":
            return 204, {}, b""
        if asked.operation in ("simpleenroll", "simplereenroll"):
            return self.certs_only(self._issue(base64.b64decode(asked.body), "keyUsage=critical,digitalSignature", "issued.pem"))
        return 404, {}, b""

    def _accept(self):
        number = 0
        while True:
            bare, _ = self.listener.accept()
            number += 1
            threading.Thread(target=self._serve, args=(bare, number), daemon=True).start()

    def _serve(self, bare, number):
        bare.settimeout(30)
        try:
            connection = self.context.wrap_socket(bare, server_side=True)
        except OSError:
            self.handshakes_failed += 1
            return
        with connection, connection.makefile("rb") as stream:
            try:
                while self._exchange(connection, stream, number):
                    pass
            except OSError:
                pass
        self.ended.append(number)

    def _exchange(self, connection, stream, number) -> bool:
        first = stream.readline().decode().split()
        if len(first) != 3:
            return False
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        unique = connection.get_channel_binding("tls-unique") if connection.version() == "TLSv1.2" else None
        asked = Asked(number, first[0], first[1], headers, body, unique, connection.getpeercert(True))
        self.asked.append(asked)
        answer = self.answer(asked) or self.usual_answer(asked)
        if answer == "drop":
            connection.shutdown(socket.SHUT_RDWR)
            return False
        status, fields, content = answer
        head = f"HTTP/1.1 {status} Said\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        if status != 204:
            head += f"Content-Length: {len(content)}\r\n"
        connection.sendall(head.encode() + b"\r\n" + content)
        return fields.get("Connection") != "close"


def certificate_text(pem) -> str:
    """`openssl x509 -text` of PEM text or a file."""
    data = pem.read_bytes() if isinstance(pem, Path) else pem.encode()
    return run_program("openssl", "x509", "-noout", "-text", stdin=data).out


def wait_for(condition, seconds=20, what="the condition"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true within {seconds} s")


def check_equal(actual, expected, what=""):
    assert actual == expected, f"{what}: {actual!r} is not {expected!r}"


def check_in(part, whole, what=""):
    assert part in whole, f"{what}: {part!r} is not in {whole!r}"


def run(module: dict):
    """Runs every test of a suite; exit status 1 if any fails."""
    wanted = sys.argv[1:]
    failed = 0
    for name, test in list(module.items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="estuary-e2e-") as temporary:
            tmp = Path(temporary)
            server = None
            try:
                parameters = inspect.signature(test).parameters
                given = {}
                if "tmp" in parameters:
                    given["tmp"] = tmp
                if "server" in parameters:
                    server = given["server"] = Server(tmp / "data").start()
                test(**given)
                verdict = "ok"
            except Skip as why:
                verdict = f"SKIPPED: {why}"
            except Exception:
                traceback.print_exc()
                if server is not None:
                    print("-- the server's log --\n" + server.log()[-6000:])
                verdict = "FAILED"
                failed += 1
            finally:
                if server is not None and server.process is not None:
                    server.process.kill()
                    server.process.wait()
        print(f"{name}: {verdict} ({time.monotonic() - start:.1f} s)", flush=True)
    sys.exit(1 if failed else 0)
