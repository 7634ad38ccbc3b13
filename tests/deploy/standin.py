"""A program that stands for a service of ours: it answers `/health` on the port it is told, and nothing else."""

import http.server
import os
import signal
import sys


class Door(http.server.BaseHTTPRequestHandler):
    """Answers that all is well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "broken" in sys.argv:
        sys.exit("this program does not start")
    print('{"level": "warning", "event": "a word of warning"}', flush=True)
    port = int(os.environ[f"{sys.argv[1].upper()}_PORT"])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Door).serve_forever()
