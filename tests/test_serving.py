"""`make serve`: the built book on this machine alone."""

import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
from small_project import SmallProject

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path):
    return SmallProject(tmp_path / "project")


@pytest.fixture
def port():
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def start(project, port):
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "serve", f"PORT={port}"], cwd=project.folder,
        env=project.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def page(port, within_s=30):
    """Return the page at a port once somebody answers there."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            opened = build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/")
        except URLError:
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.05)
        else:
            return opened.read().decode()


def refusal(project, port):
    """Return the error if the book is not served."""
    refused = start(project, port)
    _, complaint = refused.communicate(timeout=30)
    assert refused.returncode == 1
    return complaint


def test_the_book_is_served_on_this_machine_and_a_port_serves_one(project, port):
    (project.build / "html").mkdir(parents=True)
    (project.build / "html" / "index.html").write_text("a book")
    served = start(project, port)
    try:
        assert page(port) == "a book"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port))
        taken = f"error: PORT={port}: Address already in use; PORT= takes another\n"
        assert refusal(project, port) == taken
    finally:
        served.terminate()
        served.communicate(timeout=30)


def test_without_a_book_there_is_nothing_to_serve(project, port):
    assert refusal(project, port) == "error: no book yet; run make book first\n"
