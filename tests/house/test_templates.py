"""Templates: nothing inline that the Content Security Policy would refuse, nothing unescaped, no orphan fragments."""

import re
from pathlib import Path

import pytest

from config import ROOT
from tests.house.source import files, name

TEMPLATES = ROOT / "templates"
FORBIDDEN = {
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "inline handler": re.compile(r"\s(on[a-z]+|hx-on[:a-z-]*)\s*=", re.IGNORECASE),
    "javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "unescaped value": re.compile(r"\|\s*safe\b|autoescape\s+false", re.IGNORECASE),
    "address of another site": re.compile(r"\b(src|href)\s*=\s*[\"'](https?:)?//", re.IGNORECASE),
}


def _templates() -> list[Path]:
    return files("templates", suffix=".html")


@pytest.mark.parametrize("path", _templates(), ids=name)
def test_nothing_inline_and_nothing_unescaped(path: Path) -> None:
    text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


def test_markup_is_made_by_templates_only() -> None:
    unescaped = re.compile(r"\bMarkup\(|render_template_string")
    assert [name(path) for path in files("app") if unescaped.search(path.read_text(encoding="utf-8"))] == []


def test_every_template_is_used() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in [*_templates(), *files("app")]}
    unused = []
    for template in _templates():
        called = template.relative_to(TEMPLATES).as_posix()
        if not any(called in text for path, text in texts.items() if path != template):
            unused.append(called)
    assert unused == []
