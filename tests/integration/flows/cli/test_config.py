"""`inkstream config` as a person or a script uses it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.command import inkstream


def test_check_names_all_mistakes_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "source: {url: in, globb: x}\nsink: {url: out}\ntrigger:\n  maxFilesPerTrigger: 0\n"
    )
    done = inkstream("config", "check", "bad.yaml", code=2, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "bad.yaml:1: source.globb: unknown option; did you mean 'glob'?",
        "bad.yaml:4: trigger.maxFilesPerTrigger: Input should be greater than or equal to 1 (given: 0)",
    ]
    lines = inkstream("config", "check", "bad.yaml", "--json", code=2, cwd=tmp_path).stdout.splitlines()
    assert [(json.loads(line)["line"], json.loads(line)["path"]) for line in lines] == [
        (1, "source.globb"),
        (4, "trigger.maxFilesPerTrigger"),
    ]
    assert inkstream("run", "bad.yaml", code=2, cwd=tmp_path).stderr.endswith(done.stdout)
    (tmp_path / "bad.yaml").write_text("a: b\na: c\n: [\n")
    (line,) = inkstream("config", "check", "bad.yaml", "--json", code=2, cwd=tmp_path).stdout.splitlines()
    assert json.loads(line)["line"] == 3
    assert "cannot be read" in inkstream("config", "check", "none.yaml", code=2, cwd=tmp_path).stdout


def test_check_finds_options_that_do_not_go_together(tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text("source: {url: in}\nsink: {url: in/out}\npipeline: {recognize: {per_region: true}}\n")
    shown = inkstream("config", "check", file, code=2).stdout
    assert "pipeline: " in shown
    assert "no earlier stage provides them" in shown
    assert "sink.url: the sink in/out is inside the source in" in shown
    better = ["--set", "pipeline.detect={}", "--set", "sink.url=out"]
    assert "no mistakes found" in inkstream("config", "check", file, *better).stdout


def test_show_prints_a_configuration_that_check_accepts(tmp_path: Path) -> None:
    shown = inkstream("config", "show", "--preset", "ocr-regions", "--set", "source.url=in")
    assert shown.stdout.startswith("# sink.url is not given: tables is an example\nstream: main\n")
    (tmp_path / "whole.yaml").write_text(shown.stdout)
    inkstream("config", "check", tmp_path / "whole.yaml")
    again = inkstream("config", "show", tmp_path / "whole.yaml").stdout
    assert again == shown.stdout.partition("\n")[2]
    changed = json.loads(inkstream("config", "show", tmp_path / "whole.yaml", "--changed", "--json").stdout)
    assert changed["pipeline"]["recognize"] == {"page_seg_mode": 6, "per_region": True, "iterator_level": "block"}
    assert set(changed) == {"source", "sink", "pipeline"}


def test_schema_is_one_json_document() -> None:
    assert json.loads(inkstream("config", "schema").stdout)["properties"]["preset"]["enum"]
