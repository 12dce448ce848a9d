"""Serve the built book on this machine, so that it can be read as it would be on the web."""

from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from pipeline import places
from pipeline.faults import BuildError

HOST = "127.0.0.1"  # nobody else's business


def serve(port: int) -> None:
    """Serve until interrupted. Raises `BuildError` where there is no book, or the port is taken."""
    if not (places.HTML / "index.html").exists():
        raise BuildError("no book yet; run make book first")
    handler = partial(SimpleHTTPRequestHandler, directory=str(places.HTML))
    try:
        server = ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise BuildError(f"PORT={port}: {error.strerror}; PORT= takes another") from None
    with server, suppress(KeyboardInterrupt):
        print(f"http://{HOST}:{port}/ (Ctrl-C ends it)")
        server.serve_forever()
