"""The process of the embedded AWS endpoint: `python -m embedded.aws_process PORT`."""

import logging
import sys

from moto.server import main

from embedded.ports import LOOPBACK

if __name__ == "__main__":
    # A line for every request would fill the disk: the worker asks for tickets all day.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    main(["-H", LOOPBACK, "-p", sys.argv[1]])
