"""Settings of monitoring: when the server says that it is ready."""

from __future__ import annotations

from posthouse.config.setting import size_setting

READY_DISK_SPACE = size_setting(
    "metrics.ready_disk_space",
    256 << 20,
    "Free space below which `/health/ready` says that the server is not ready, on the disk of the home.",
    minimum=0,
    maximum=1 << 50,
)

SETTINGS = (READY_DISK_SPACE,)
