"""``python -m tests.fuzz [--seconds N] [target ...]``: fuzz each target for N seconds, in a process of its own.

Coverage-guided with atheris where that is installed, else with the plain mutator of ``tests.fuzz.engine``. What was
learnt is kept in ``tests/fuzz/findings/learnt``, so that the next run begins where this one ended. An input that fails
is written to ``tests/fuzz/findings/<target>-...`` and the exit code is 1; mend the fault, and put the input, made
small, into ``tests/fuzz/corpus/<target>/``, where the tests replay it for good.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
import traceback

from tests.fuzz import engine


def main() -> int:
    """Fuzz what was asked for; return the exit code."""
    names = engine.target_names()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--plain", action="store_true", help="use the plain mutator")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", choices=[*names, []], metavar="target")
    asked = parser.parse_args()
    is_guided = not asked.plain and importlib.util.find_spec("atheris") is not None
    if asked.inside:
        (_guided if is_guided else _plain)(asked.targets[0], asked.seconds)
        return 0
    engine.FINDINGS.mkdir(exist_ok=True)
    failed = [name for name in asked.targets or names if not _in_process(name, asked.seconds, plain=not is_guided)]
    for name in failed:
        print(f"FAILED: {name}; inputs are in {engine.FINDINGS}")
    return 1 if failed else 0


def _in_process(name: str, seconds: int, *, plain: bool) -> bool:
    """Fuzz one target; return whether nothing was found."""
    before = set(engine.FINDINGS.glob(f"{name}-*"))
    command = [sys.executable, "-m", "tests.fuzz", "--inside", "--seconds", str(seconds), name]
    done = subprocess.run(
        command + ["--plain"] * plain, capture_output=True, text=True, check=False, timeout=seconds * 2 + 120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    said = (done.stdout + done.stderr).splitlines()
    found = set(engine.FINDINGS.glob(f"{name}-*")) - before
    summary = next((line for line in reversed(said) if "runs in" in line or "Done" in line), "")
    print(f"{name}: {summary.strip() or done.returncode}", flush=True)
    if done.returncode or found:
        print("\n".join(said[-60:]), flush=True)
    return done.returncode == 0 and not found


def _guided(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["posthouse"]):
        target = engine.load_target(name)
    learnt = engine.FINDINGS / "learnt" / name
    learnt.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={engine.MEMORY >> 20}",
        f"-timeout={engine.PATIENCE:.0f}",
        f"-max_len={engine.MAX_LENGTH}",
        f"-artifact_prefix={engine.FINDINGS}/{name}-",
    ]
    dictionary = engine.DICTIONARIES / f"{name}.txt"
    if dictionary.exists():
        options.append(f"-dict={dictionary}")
    seeds = engine.CORPUS / name
    atheris.Setup([sys.argv[0], *options, str(learnt), *([str(seeds)] if seeds.is_dir() else [])], target)
    atheris.Fuzz()


def _plain(name: str, seconds: int) -> None:
    target = engine.load_target(name)
    engine.limit_memory()
    deadline = time.monotonic() + seconds
    runs = 0
    for data in engine.Mutator(engine.corpus(name), engine.words(name), time.time()):
        runs += 1
        try:
            engine.run_one(target, data)
        except BaseException:
            place = engine.FINDINGS / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
            place.write_bytes(data)
            traceback.print_exc()
            sys.exit(1)
        if time.monotonic() > deadline:
            break
    print(f"{runs} runs in {seconds} s")


if __name__ == "__main__":
    sys.exit(main())
