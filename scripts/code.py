"""`format` and `lock`: what changes files of the repository itself."""

import shutil

from scripts.children import StopFlag
from scripts.place import Place, make_home
from scripts.say import Refusal
from scripts.virtualenv import ensure_venv
from scripts.within import run_here

COMPILE = (
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--python-version",
    "3.11",
)


def format_code(*, place: Place) -> int:
    """Format all code, and mend what the linter can; returns the linter's exit code."""
    flag = StopFlag()
    flag.listen()
    make_home(place=place)
    ensure_venv(place=place, flag=flag)
    ruff = [str(place.python), "-m", "ruff"]
    fixed = run_here(command=[*ruff, "check", "--fix", "."], place=place, flag=flag)
    return run_here(command=[*ruff, "format", "."], place=place, flag=flag) or fixed


def lock(*, place: Place) -> int:
    """Resolve pyproject.toml into the two lock files, upgrading what its ranges allow."""
    flag = StopFlag()
    flag.listen()
    uv = shutil.which("uv")
    if uv is None:
        raise Refusal("Resolving needs uv: python3 -m pip install uv")
    compile_lock = [uv, "pip", "compile", "--quiet", "--upgrade", *COMPILE, "pyproject.toml"]
    for options in (["-o", "requirements.lock"], ["--group", "dev", "-o", "requirements-dev.lock"]):
        code = run_here(command=[*compile_lock, *options], place=place, flag=flag)
        if code:
            return code
    return 0
