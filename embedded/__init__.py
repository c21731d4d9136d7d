"""What `bin/run` starts when nothing real is configured; all of it on loopback, with its state under `var/`."""
