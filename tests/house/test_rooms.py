"""One word per idea: a room, its templates and its tests have the same name."""

from config import ROOT

# Folders of tests that are about the whole, and of templates that belong to no room.
TESTS_OF_THE_WHOLE = {"house", "journeys", "support", "embedded"}
SHARED_TEMPLATES = {"_macros", "errors"}


def _folders(parent: str) -> set[str]:
    return {path.name for path in (ROOT / parent).iterdir() if path.is_dir() and path.name != "__pycache__"}


def test_every_folder_of_tests_is_named_after_a_part() -> None:
    assert _folders("tests") - TESTS_OF_THE_WHOLE - _folders("app") == set()


def test_every_folder_of_templates_is_named_after_a_room_or_a_page() -> None:
    pages = {path.stem for path in (ROOT / "app" / "pages").glob("*.py")}
    assert _folders("templates") - SHARED_TEMPLATES - _folders("app") - pages == set()


def test_forms_are_named_after_a_page() -> None:
    pages = {path.stem for path in (ROOT / "app" / "pages").glob("*.py")}
    forms = {path.stem for path in (ROOT / "app" / "pages" / "forms").glob("*.py")}
    assert forms - pages - _folders("app") - {"__init__"} == set()
