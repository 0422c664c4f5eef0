"""Shared by the tests of `detseg`: folders are served on this machine."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Site:
    """A folder and the address under which it is served; `requests` lists the paths asked for."""

    def __init__(self, folder, port):
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.requests = []


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        self.server.site.requests.append(self.path)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """An empty folder that a server on this machine serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=folder)) as server:
        server.site = Site(folder, server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.site
        server.shutdown()
        thread.join()
