import doctest
from pathlib import Path


def test_what_the_guide_to_time_shows_is_what_happens(project: Path) -> None:
    result = doctest.testfile(str(project / "docs" / "time.md"), module_relative=False)
    assert result.attempted >= 15
    assert result.failed == 0
