#!/usr/bin/env python3
"""What a registration authority's batches are worth: ir with a MAC through one estuaryd to another, both on this machine, by labels that
forward with batch_max = 1 and 16, with and without a delay on the way to the CA.

    ESTUARY_BIN=build/release/bin bench/cmp_batches.py [requests [connections]]
"""
import http.client
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/e2e"))
sys.argv, arguments = sys.argv[:1], sys.argv[1:]
import cmp_ra  # noqa: E402
from harness_cmp import *  # noqa: E402,F403

REQUESTS = int(arguments[0]) if arguments else 400
CONNECTIONS = int(arguments[1]) if len(arguments) > 1 else 16
LABELS = """
[cmp.label.one]
profile = "above"
forward = "unchanged"

[cmp.label.many]
profile = "above"
forward = "unchanged"
batch_max = 16
"""


class SlowLink:
    """TCP to the CA that takes its time for every piece."""

    def __init__(self, port, delay):
        self.target, self.delay = port, delay
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.target))
            for one, other, delay in ((near, far, self.delay), (far, near, 0)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.carry, args=(one, other, delay), daemon=True).start()

    @staticmethod
    def carry(one, other, delay):
        while octets := one.recv(1 << 20):
            time.sleep(delay)
            other.sendall(octets)
        other.close()


def messages(two, tmp, label, count):
    """Requests under one secret that is known above; openssl makes them, for the server does not matter to a file."""
    secret = mac(two.ca, f"load-{label}", "--uses", "unlimited")
    key = new_key(tmp, "dev")
    made = []
    for i in range(count):
        two.ra.cmp("ir", *secret, "-newkey", key, "-subject", f"/CN=load{i}", "-certout", tmp / "x.pem", "-implicit_confirm", "-reqout", tmp / "r",
                   path=".well-known/cmp/p/none", check=False)
        made.append((tmp / "r").read_bytes())
    return made


def measure(two, label, requests):
    left, lock, late = list(requests), threading.Lock(), []

    def work():
        connection = http.client.HTTPConnection("127.0.0.1", two.ra.cmp_port)
        while True:
            with lock:
                if not left:
                    return
                message = left.pop()
            began = time.perf_counter()
            connection.request("POST", f"/.well-known/cmp/p/{label}", message, {"Content-Type": "application/pkixcmp"})
            answer = connection.getresponse().read()
            assert b"load" in answer, answer
            late.append(time.perf_counter() - began)
    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    late.sort()
    return len(requests) / (time.perf_counter() - began), late[len(late) // 2] * 1000


def main():
    for delay in (0, 0.05):
        with tempfile.TemporaryDirectory() as directory:
            tmp = Path(directory)
            two = cmp_ra.Two(tmp)
            try:
                link = SlowLink(two.ca.cmp_port, delay)
                two.ra.stop()
                text = two.ra.config.read_text().replace(f":{two.ca.cmp_port}\"", f":{link.port}\"") + LABELS
                two.ra.config.write_text(text)
                for label in ("one", "many"):
                    two.ra.start()
                    rate, median = measure(two, label, messages(two, tmp, label, REQUESTS))
                    sizes = cmp_ra.batches(two) or [1]
                    print(f"delay {delay * 1000:.0f} ms, batch_max {1 if label == 'one' else 16}: {rate:.0f} requests/s, p50 {median:.1f} ms, "
                          f"{sum(sizes) / len(sizes):.1f} messages in a batch", flush=True)
                    two.ra.stop()
            finally:
                two.stop()


if __name__ == "__main__":
    main()
