"""``disk.*``: room, inodes and the kind of file system under the home.

Tests: ``tests/unit/services/administration/diagnosis/test_check_machine.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from posthouse.services.administration.diagnosis.check import Check
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning
from posthouse.services.administration.diagnosis.parts import DiskFacts

SPACE_ERROR: Final = 100 << 20
SPACE_WARNING: Final = 1 << 30
INODES_ERROR: Final = 1_000
INODES_WARNING: Final = 0.02  # of all of them
_NETWORK: Final = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "lustre", "virtiofs"}
_MEMORY: Final = {"tmpfs", "ramfs"}


async def _facts(examination: Examination) -> DiskFacts:
    parts = examination.parts
    return await examination.once("disk", lambda: asyncio.to_thread(parts.machine.disk, parts.configuration.home))


async def _space(examination: Examination, _: str) -> Sequence[Finding]:
    facts = await _facts(examination)
    evidence = f"{facts.free >> 20} MiB of {facts.size >> 20} MiB free on {facts.mount or 'the disk of the home'}"
    remedy = "Make room, or move the home to a larger disk."
    if facts.free < SPACE_ERROR:
        return [error("the disk is full", evidence, remedy)]
    if facts.free < SPACE_WARNING:
        return [warning("the disk is nearly full", evidence, remedy)]
    return [ok("there is room", evidence)]


async def _inodes(examination: Examination, _: str) -> Sequence[Finding]:
    facts = await _facts(examination)
    if not facts.inodes:
        return [ok("the file system does not count inodes", facts.kind)]
    evidence = f"{facts.inodes_free} of {facts.inodes} inodes free on {facts.mount or 'the disk of the home'}"
    remedy = "Remove small files that nobody needs, or make a file system with more inodes."
    if facts.inodes_free < INODES_ERROR:
        return [error("no more files can be made", evidence, remedy)]
    if facts.inodes_free < facts.inodes * INODES_WARNING:
        return [warning("few more files can be made", evidence, remedy)]
    return [ok("there are inodes", evidence)]


async def _filesystem(examination: Examination, _: str) -> Sequence[Finding]:
    facts = await _facts(examination)
    evidence = f"{facts.kind or 'not told'} at {facts.mount or 'an unknown place'}"
    if facts.kind in _NETWORK or facts.kind.startswith("fuse."):
        what = "the home is on a network file system: its locks and flushes cannot be relied on"
        return [warning(what, evidence, "Move the home to a local disk.")]
    if facts.kind in _MEMORY:
        what = "the home is in memory: everything is gone when the machine stops"
        return [warning(what, evidence, "Move the home to a disk.")]
    if facts.kind == "overlay":
        what = "the home is in a container's own layer: it is gone with the container"
        return [notice(what, evidence, "Mount a volume there, unless that is meant.")]
    return [ok("the home is on a local file system", evidence)]


CHECKS = (
    Check(
        id="disk.space",
        title="room on the disk",
        explanation="Without room nothing is accepted: senders are told to try again (452 4.3.1).",
        remedy="Make room, or move the home to a larger disk.",
        look=_space,
    ),
    Check(
        id="disk.inodes",
        title="inodes",
        explanation="A file system can run out of inodes long before it runs out of room.",
        remedy="Remove small files, or make a file system with more inodes.",
        look=_inodes,
    ),
    Check(
        id="disk.filesystem",
        title="kind of file system",
        explanation="The store relies on locks and on flushes that reach the disk. Network file systems promise both "
        "and keep them badly; one in memory keeps nothing.",
        remedy="Move the home to a local disk.",
        look=_filesystem,
    ),
)
