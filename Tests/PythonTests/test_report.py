"""The page that `--quantization-report` writes, as a browser reads it: well formed, alone, with its plots."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "build" / "quantization-report.html"
BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Every element with its attributes; a tag that closes another than the last open one is an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.style = ""

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text.append(data)


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page


def check_plots(page: Page) -> None:
    bars = [a for tag, a in page.elements if tag == "rect"]
    assert {a["class"] for a in bars} == {"isolated", "accumulated"}
    assert all(float(a["width"]) >= 0 for a in bars) and any(float(a["width"]) > 10 for a in bars)
    nodes = sum(tag == "tr" for tag, _ in page.elements)
    assert len(bars) >= 4 and nodes > len(bars) / 2


@pytest.fixture(scope="module")
def source() -> str:
    if not PAGE.exists():
        pytest.fail(f"{PAGE}: missing; swift test --filter testReportIsWritten writes it")
    return PAGE.read_text(encoding="utf-8")


def test_page_is_well_formed_and_alone(source):
    page = parsed(source)
    assert page.open == [], f"left open: {page.open}"
    assert source.startswith("<!DOCTYPE html>")
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "img", "iframe", "object", "embed"}, tag
        for name, value in attributes.items():
            assert name not in {"src", "href", "xlink:href", "srcset", "action"}, (tag, name, value)
            assert not (name == "style" and "url(" in (value or ""))
    assert not re.search(r"@import|url\(|https?:", page.style)
    assert "Quantization of a<b" in " ".join(page.text)


def test_page_has_its_plots(source):
    check_plots(parsed(source))


def test_page_in_a_browser(source, tmp_path):
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        pytest.skip("no browser on this machine")
    result = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom", PAGE.as_uri()],
        capture_output=True, text=True, timeout=120, check=True)
    check_plots(parsed(result.stdout))
