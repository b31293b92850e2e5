"""What a process uses: memory, descriptors, processor time, read from the system when it is asked for.

Tests: ``tests/unit/telemetry/test_metrics.py``.
"""

from __future__ import annotations

import os
import platform
import resource
import time

from posthouse.telemetry.metrics import Metrics

_PAGE = resource.getpagesize()


def measure_process(metrics: Metrics, worker: int, version: str, *, started: float) -> None:
    """Put what this worker uses now into its metrics. ``started`` is in seconds since 1970."""
    label = str(worker)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics.counter("posthouse_process_resident_octets", label).set(_resident())
    metrics.counter("posthouse_process_open_files", label).set(_open_files())
    metrics.counter("posthouse_process_cpu_seconds_total", label).set(usage.ru_utime + usage.ru_stime)
    metrics.counter("posthouse_process_start_seconds", label).set(started)
    metrics.counter("posthouse_build_info", version, platform.python_version()).set(1)


def start_time(seconds_up: float) -> float:
    """Return when something began that has run for so many seconds."""
    return round(time.time() - seconds_up, 3)


def _resident() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123  (no file of ours)
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names are enough)
    except OSError:
        return 0
