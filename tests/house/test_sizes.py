"""The tail stays short: files, functions, and the branches in them."""

from tests.house.source import PROGRAM, files, functions, name, ruff

LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 50
OURS = (*PROGRAM, "tests")


def test_no_file_is_longer_than_300_lines() -> None:
    paths = [*files(*OURS), *files("templates", suffix=".html"), *files("app", suffix=".lua")]
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {path: lines for path, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    lengths = {
        f"{name(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in files(*OURS)
        for function in functions(path)
    }
    assert {function: lines for function, lines in lengths.items() if lines > LINES_OF_A_FUNCTION} == {}


def test_no_function_is_more_complex_than_8() -> None:
    assert ruff("check", "--select", "C901", ".") == ""


def test_the_code_is_clean_and_formatted() -> None:
    assert ruff("check", ".") == ""
    assert ruff("format", "--check", ".") == ""
