import pytest

from ethogram.core.content.reader import MAX_BYTES, read_module
from ethogram.core.signals.aggregates.basic import count, recency
from ethogram.core.signals.declaration import Signal
from ethogram.core.workspace import NAMES

PATH = "feature_repo/teams/growth/signals.py"


def problems(text: str) -> tuple[str, ...]:
    return read_module(text, PATH, NAMES).problems


def test_a_declaration_is_read_with_its_file_and_line() -> None:
    module = read_module(
        "from ethogram import Signal, count, recency\n"
        "windows = ['7d'] + ['30d']\n"
        "rhythm = Signal('rhythm', version=1, entity='customer', of='commerce.purchase',\n"
        "    features=[\n"
        "        count(over=windows),\n"
        "        recency(),\n"
        "    ])\n",
        PATH,
        NAMES,
    )
    assert module.problems == ()
    (signal,) = module.values
    assert signal == Signal(
        "rhythm", 1, "customer", "commerce.purchase", [count(over=["7d", "30d"]), recency(unit="days")]
    )
    assert str(signal.origin) == f"{PATH}:3"
    assert str(signal.features[1].origin) == f"{PATH}:6"


def test_the_same_file_imports_normally() -> None:
    namespace: dict[str, object] = {}
    declared = "x = Signal('r', version=1, entity='customer', of='a.b', features=[count()])"
    exec(f"from ethogram import Signal, count\n{declared}", namespace)
    assert isinstance(namespace["x"], Signal)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import os", "only `from ethogram import ...` is read here, not `import os`"),
        ("from os import system", "only `from ethogram import ...` is read here, not `from os import system`"),
        ("from ethogram import counts", "ethogram declares no 'counts'; did you mean count?"),
        ("from ethogram import count as c", "import count under its own name, not as c"),
        ("x = count(over='7d')", "count is not imported; add it to `from ethogram import ...`"),
        ("x = eval('/etc/passwd')", "no declaration named 'eval'; see the declaration reference"),
        ("for x in []: pass", "a declaration file holds assignments and declarations only, no for"),
        ("x = [y for y in 'ab']", "`[y for y in 'ab']` is not a literal, an earlier name or a declaration"),
        ("x = ().__class__", "`().__class__` is not a literal, an earlier name or a declaration"),
        ("x = f'{1}'", "`f'{1}'` is not a literal, an earlier name or a declaration"),
        ("x = y", "'y' is not declared above; declare it first"),
        ("x = 1 + 1", "+ joins two texts or two lists"),
        ("from ethogram import count\nx = count(*[1])", "write the arguments out; * and ** are not read"),
        (
            "from ethogram import count\nx = count(windows='7d')",
            "count takes no 'windows'; it takes over, of, where, name, by, keys",
        ),
    ],
)
def test_anything_but_a_declaration_is_a_problem_with_its_line(text: str, problem: str) -> None:
    line = text.count("\n") + 1
    assert problems(text) == (f"{PATH}:{line}: {problem}",)


def test_all_problems_come_at_once() -> None:
    assert len(problems("import os\nx = y\nwhile True: pass\n")) == 3


def test_a_file_that_is_not_python_in_form_says_where() -> None:
    (problem,) = problems("x = (\n")
    assert problem.startswith(f"{PATH}:1: not Python in form")


def test_a_file_nested_to_break_the_reader_is_refused() -> None:
    assert problems("x = " + "[" * 80 + "]" * 80) == (f"{PATH}:1: nested deeper than 60",)
    assert len(problems("x = " + "(" * 5000 + ")" * 5000)) == 1


def test_a_huge_file_is_refused_before_it_is_parsed() -> None:
    assert problems("#" * (MAX_BYTES + 1)) == (f"{PATH}:1: the file is over 1,000,000 bytes; split it",)
