"""A stand-in for SQS that takes every ticket and forgets it: `python -m bench.standing_queue PORT`.

The emulator costs ten times as much CPU a ticket as the product's own side of the call, and grows slower with every
ticket that lies in it; the real SQS runs on other machines. What the product does for a ticket stays as it is.
"""

import json
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Taker(BaseHTTPRequestHandler):
    """Answers SendMessageBatch and GetQueueAttributes as SQS does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take a batch; whoever asks how full it is hears that it is empty."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        entries, names = asked.get("Entries", ()), asked.get("AttributeNames", ())
        taken = [{"Id": one["Id"], "MessageId": str(uuid.uuid4()), "MD5OfMessageBody": "0" * 32} for one in entries]
        attributes = dict.fromkeys(names, "0")
        body = json.dumps({"Successful": taken, "Failed": [], "Attributes": attributes}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until killed."""
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Taker).serve_forever()


if __name__ == "__main__":
    main()
