"""docs/screenshots has a picture of every page, on a computer and on a phone, and a README that lists them."""

from tests.screenshot_docs import FOLDER, SCREENS, WHOLE_PAGES, errors
from tests.screenshot_index import SECTIONS, index
from tests.screenshots import OF_ROWS, PAGES, ROWS

TOTAL_BYTES = 6_000_000
OTHERS = {"sign-in", "forgotten", "backtest", "readers-page"}
NAMES = [name for pages in SECTIONS.values() for name in pages]


def test_every_page_has_a_sentence():
    assert sorted(NAMES) == sorted({*PAGES, *ROWS, *OF_ROWS, *OTHERS, *errors(None)})


def test_every_page_has_both_pictures():
    for size in SCREENS:
        assert sorted(path.stem for path in (FOLDER / size).iterdir()) == sorted(NAMES), size


def test_the_pictures_of_the_readme_and_the_list_are_there():
    files = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert files == {"README.md", *(f"{name}.png" for name in WHOLE_PAGES)}
    assert (FOLDER / "README.md").read_text() == index()
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.png")) < TOTAL_BYTES
