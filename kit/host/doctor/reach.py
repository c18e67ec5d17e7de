"""Queries to registries whether they answer, all at once, with one deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from kit.engine.failures import one_line

TIMEOUT_S = 5.0
Reacher = Callable[[Sequence[str]], Mapping[str, str]]
"""Maps registry hosts to the reason why each cannot be reached; "" for one that answers."""
# The host in an image reference is not the host that serves the registry API.
_SERVED_BY = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


def reachability(hosts: Sequence[str], timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Query the registry API of every host; any HTTP answer, also 401, counts.

    Returns, after ``timeout_s`` seconds at the latest, why each does not answer ("": it does).
    """
    answers: queue.Queue[tuple[str, str]] = queue.Queue()
    for host in hosts:
        # Daemon threads: a name lookup may hang far beyond any timeout.
        threading.Thread(
            target=lambda name=host: answers.put((name, ask(name, timeout_s))), daemon=True
        ).start()
    found = dict.fromkeys(hosts, f"no answer within {timeout_s:g} s")
    deadline = time.monotonic() + timeout_s
    for _ in found:
        try:
            host, reason = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[host] = reason
    return found


def ask(host: str, timeout_s: float) -> str:
    """Return why one host does not answer; "" if it does."""
    import requests

    local = host.partition(":")[0] in {"localhost", "127.0.0.1"}
    url = f"{'http' if local else 'https'}://{_SERVED_BY.get(host, host)}/v2/"
    try:
        requests.head(url, timeout=timeout_s, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        return f"TLS: {_root(error)}"
    except requests.exceptions.ProxyError as error:
        return f"proxy: {_root(error)}"
    except requests.exceptions.Timeout:
        return f"no answer within {timeout_s:g} s"
    except (requests.exceptions.RequestException, ValueError) as error:
        return _root(error)
    return ""


def _root(error: BaseException) -> str:
    """Return the innermost reason: the outer ones repeat the URL and internal names."""
    seen: BaseException = error
    for _ in range(8):
        inner = next(
            (
                value
                for value in (*seen.args, getattr(seen, "reason", None), seen.__cause__)
                if isinstance(value, BaseException) and value is not seen
            ),
            None,
        )
        if inner is None:
            break
        seen = inner
    if isinstance(seen, OSError) and seen.strerror:
        return one_line(seen.strerror, 120)
    return one_line(str(seen).rpartition(": ")[2] or type(seen).__name__, 120)
