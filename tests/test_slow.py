"""The list of slow tests names files that exist."""

from tests.slow import FOLDER, PATHS


def test_each_path_names_tests():
    files = [f"{path.relative_to(FOLDER)}/" for path in FOLDER.rglob("test_*.py")]
    assert [path for path in PATHS if not any(file.startswith(path) for file in files)] == []
