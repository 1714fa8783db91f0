"""The size check finds what is too long and says where."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_size import MAX_FUNCTION_LINES, MAX_MODULE_LINES, findings, main


ROOT = Path(__file__).parents[2]


def function_of(lines: int, *, start: str = "def long() -> None:") -> str:
    """Give the text of a function with so many lines, its first one included."""
    return "\n".join([start, *["    pass"] * (lines - 1)]) + "\n"


def test_module_at_the_limit_passes_and_one_line_more_does_not() -> None:
    """The last allowed length is fine; the finding names the first line beyond it."""
    assert list(findings("pass\n" * MAX_MODULE_LINES, "m.py")) == []
    assert list(findings("pass\n" * (MAX_MODULE_LINES + 1), "m.py")) == [
        "m.py:401: module has 401 lines, 400 at most"
    ]


@pytest.mark.parametrize("start", ["def long() -> None:", "async def long() -> None:"])
def test_function_at_the_limit_passes_and_one_line_more_does_not(start: str) -> None:
    """Plain and async functions are counted alike, from `def` to the last line."""
    assert list(findings(function_of(MAX_FUNCTION_LINES, start=start), "m.py")) == []
    assert list(findings(function_of(MAX_FUNCTION_LINES + 1, start=start), "m.py")) == [
        "m.py:1: function long has 61 lines, 60 at most"
    ]


def test_decorators_do_not_count() -> None:
    """A command with many options is not a long function; the line named is that of `def`."""
    decorated = "@one\n@two\n" + function_of(MAX_FUNCTION_LINES)
    assert list(findings(decorated, "m.py")) == []
    assert list(findings(decorated + "    pass\n", "m.py")) == [
        "m.py:3: function long has 61 lines, 60 at most"
    ]


def test_method_inside_class_is_counted() -> None:
    """Functions are found at any depth, and each long one is a finding of its own."""
    method = "".join(f"    {line}\n" for line in function_of(MAX_FUNCTION_LINES + 1).splitlines())
    assert list(findings("class Big:\n" + method, "m.py")) == [
        "m.py:2: function long has 61 lines, 60 at most"
    ]


def test_scripts_and_styles_of_the_page_are_counted_and_not_parsed() -> None:
    """What is not Python is judged by its lines alone."""
    assert list(findings("(\n" * MAX_MODULE_LINES, "m.js")) == []
    assert list(findings("(\n" * (MAX_MODULE_LINES + 1), "m.css")) == [
        "m.css:401: module has 401 lines, 400 at most"
    ]


def test_exit_code_tells_whether_anything_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 and silence when all is short; 1 and one line per finding when not."""
    module = tmp_path / "area" / "module.py"
    module.parent.mkdir()
    module.write_text("pass\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""

    module.write_text(function_of(MAX_FUNCTION_LINES + 1), encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{module}:1: function long has 61 lines, 60 at most\n"


def test_missing_folder_is_an_error_and_not_a_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with a typo in its name must not look as if all in it were short."""
    with pytest.raises(SystemExit) as left:
        main([str(tmp_path / "scr")])
    assert left.value.code == 2
    assert "is not a folder" in capsys.readouterr().err


def test_place_without_any_folder_of_the_project_is_an_error(tmp_path: Path) -> None:
    """Run from elsewhere, the command says so instead of checking nothing."""
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_size.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "run this from the repository's root" in result.stderr
