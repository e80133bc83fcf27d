"""Loupe's own processes: web server, workers, dispatcher."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
from contextlib import closing
from functools import partial

from config.embedded.child import Program
from config.embedded.layout import Layout, ServiceProblem
from config.embedded.supervisor import Service
from config.environment import Environment

# Worker processes share the cores: their numeric libraries would otherwise each start as many threads as there are.
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
NICENESS = 10  # of the workers: nobody waits for a page because of a job


def web(layout: Layout, environment: Environment) -> Service:
    """The web server. More processes than cores, of few threads each: threads of one process wait for each other after
    every statement that they send to the database, processes do not."""
    address = f"{environment.bind_host}:{environment.bind_port}"
    command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", address]
    command += ["--workers", str(_web_processes()), "--worker-class", "gthread", "--threads", "4"]
    command += ["--timeout", "120", "--graceful-timeout", "10", "--keep-alive", "60"]
    command += ["--worker-tmp-dir", str(layout.runtime), "--no-control-socket", "--log-level", "warning"]
    program = Program("web server", command, layout.logs / "web.log", environment=_settings(environment))
    return Service(program, ready=partial(_answers, environment.bind_host, environment.bind_port))


def worker(layout: Layout, environment: Environment, number: int, workers: int) -> Service:
    """One worker process; it runs units itself, so that they may use CUDA and start processes of their own."""
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--pool", "solo"]
    command += ["--queues", ",".join(QUEUES), "--hostname", f"worker{number}@%h", "--loglevel", environment.log_level]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    limits = {name: os.environ.get(name, threads) for name in THREAD_LIMITS}
    program = Program(
        f"worker {number}",
        command,
        layout.logs / f"worker{number}.log",
        environment={**limits, **_settings(environment)},
        niceness=NICENESS,
        stop_seconds=20.0,
        # Without its broker a worker would wait for ever to say goodbye; killed, its work goes to the next one.
        death_signal=signal.SIGKILL,
    )
    return Service(program)


def dispatcher(layout: Layout, environment: Environment) -> Service:
    """Tells workers what is due."""
    command = [sys.executable, "manage.py", "dispatch"]
    return Service(Program("dispatcher", command, layout.logs / "dispatcher.log", environment=_settings(environment)))


# What `up`'s workers take on; other queues need workers of their own (Blender, for instance).
QUEUES = ("default",)


def check_address_free(environment: Environment) -> None:
    """Raises ServiceProblem if another program listens where the web server shall."""
    host = environment.bind_host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, environment.bind_port))
        except OSError as error:
            address = f"{environment.bind_host}:{environment.bind_port}"
            raise ServiceProblem(
                f"{address} can't be listened on ({error.strerror}); LOUPE_BIND names another."
            ) from error


def _answers(host: str, port: int) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - compared with
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/api/v1/me")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _web_processes() -> int:
    return min(8, 2 * (os.cpu_count() or 1))


def _settings(environment: Environment) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings"),
        "LOUPE_HOME": str(environment.home),
        "PYTHONUNBUFFERED": "1",
    }
