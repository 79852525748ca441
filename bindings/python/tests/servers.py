"""Stores at servers on this machine: real ones, and one that says nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

# Where `tests/run` puts what it gets.
TOOLS = Path(__file__).parents[3] / "target" / "tools" / "bin"


def served(kind: str, port: int, folder: Path) -> dict[str, Any]:
    """The store at a server on this machine. Its URL could have a password."""
    url = folder / "url"
    url.write_text(f"{kind}://127.0.0.1:{port}")
    url.chmod(0o600)
    return {"kind": kind, "url": {"file": str(url)}}


class StoreServer:
    """A server that can be killed and started again; `store` is what a policy says of it."""

    def __init__(self, kind: str, folder: Path) -> None:
        places = os.pathsep.join([os.environ["PATH"], str(TOOLS)])
        program = shutil.which(f"{kind}-server", path=places)
        if program is None:
            assert "CI" not in os.environ, f"{kind}-server is not installed"
            pytest.skip(f"{kind}-server is not installed: `tests/run servers` gets it")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = {
            "redis": ["--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
            "nats": ["--addr", "127.0.0.1", "--jetstream", "--store_dir", str(folder)],
        }
        self._command = [program, *options[kind], "--port", str(port)]
        self.store = served(kind, port, folder)
        self.start()

    def start(self) -> None:
        output = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdout=output, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        ready = ("Ready to accept connections", "Server is ready")
        assert any(any(word in line for word in ready) for line in self._process.stdout)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


class SilentServer:
    """It takes what it is sent, and says nothing until it hangs up."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.store = served("redis", self._socket.getsockname()[1], folder)

    def asked(self) -> socket.socket:
        """The next that talks to it, when it does."""
        line, _ = self._socket.accept()
        assert line.recv(1)
        return line

    def close(self) -> None:
        self._socket.close()
