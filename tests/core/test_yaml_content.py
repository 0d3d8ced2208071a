import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.yaml_content import MAX_DEPTH, Fields, Findings, line_at, read_yaml
from ethogram.errors import Problems


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(Problems) as caught:
        read_yaml(text, "f.yaml")
    return caught.value.problems


def test_values_are_those_of_json_and_nothing_else():
    text = "a: 1\nb: -2.5\nc: 1e3\nd: true\ne: ~\nf: plain text\ng: [1, two]\nh: {x: null}\n"
    node = read_yaml(text, "f.yaml")
    assert node == {
        "a": 1, "b": -2.5, "c": 1000.0, "d": True, "e": None, "f": "plain text", "g": [1, "two"], "h": {"x": None},
    }  # fmt: skip
    assert json.loads(json.dumps(node)) == node


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "12:30", "007", "2027-06-30", "1_000", ".inf", ".nan", "0x1F"]
)
def test_what_other_readers_convert_by_surprise_stays_text(word):
    assert read_yaml(f"a: {word}", "f.yaml") == {"a": word}


def test_a_quoted_number_is_text():
    assert read_yaml("a: '1.0'\nb: !!str 7\n", "f.yaml") == {"a": "1.0", "b": "7"}


def test_an_empty_text_is_none_and_a_comment_is_too():
    assert read_yaml("", "f.yaml") is None
    assert read_yaml("# nothing yet\n", "f.yaml") is None


def test_every_key_and_item_remembers_its_line():
    node = read_yaml("# head\na: 1\nb:\n  - x: 1\n    y: 2\n  - z\nc: {p: 1,\n    q: 2}\n", "f.yaml")
    assert (node.line, node.line_of("a"), node.line_of("b"), node.line_of("absent")) == (2, 2, 3, 2)
    assert (node["b"].line_of(0), node["b"].line_of(1), node["b"].line_of(9)) == (4, 6, 4)
    assert node["b"][0].line_of("y") == 5
    assert node["c"].line_of("q") == 8


def test_a_path_leads_to_the_deepest_line_that_exists():
    node = read_yaml("a:\n  b:\n    - c: 1\n    - d: 2\n", "f.yaml")
    assert line_at(node, ["a", "b", 1, "d"]) == 4
    assert line_at(node, ["a", "b", 7]) == 2
    assert line_at(node, ["zzz"]) == 1
    assert line_at("text", ["a"]) == 1


def test_values_survive_copying_and_pickling_with_their_lines():
    node = read_yaml("a:\n  b: [1, 2]\n", "f.yaml")
    for twin in (copy.deepcopy(node), pickle.loads(pickle.dumps(node))):
        assert twin == node
        assert twin["a"].line_of("b") == 2


def test_all_duplicate_keys_are_told_at_once():
    assert problems_of("a: 1\nb: 2\na: 3\nc:\n  d: 1\n  d: 2\n") == (
        "f.yaml:3: 'a' is given twice; first on line 1",
        "f.yaml:6: 'd' is given twice; first on line 5",
    )


def test_a_syntax_error_names_its_line_after_what_was_found_before():
    found = problems_of("a: 1\na: 2\nb: [1, 2\nc: }\n")
    assert found[0] == "f.yaml:2: 'a' is given twice; first on line 1"
    assert found[1].startswith("f.yaml:4: not YAML: ")
    assert len(found) == 2


def test_a_key_that_is_not_text_is_refused():
    assert problems_of("1: a\n? [x]\n: b\nnull: c\n") == (
        "f.yaml:1: a key must be text, not 1; put it in quotes",
        "f.yaml:2: a key must be text, not a list; put it in quotes",
        "f.yaml:4: a key must be text, not nothing; put it in quotes",
    )


@pytest.mark.parametrize(
    "text",
    ["a: !!python/object/apply:os.system [id]", "a: !!binary aGk=", "a: !secret x", "a: !!set {x}", "!!omap [a: 1]"],
)
def test_a_tag_that_would_make_something_else_than_a_plain_value_is_refused(text):
    (problem,) = problems_of(text)
    assert problem.startswith("f.yaml:1: tag ")
    assert problem.endswith("is not allowed; content holds plain values only")


def test_an_alias_repeats_its_anchor():
    assert read_yaml("a: &x [1, 2]\nb: *x\n", "f.yaml") == {"a": [1, 2], "b": [1, 2]}


def test_a_billion_laughs_are_counted_before_they_are_told():
    lines = ["a0: &a0 [l, l, l, l, l, l, l, l, l, l]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (problem,) = problems_of("\n".join(lines))
    assert problem == "f.yaml:6: more than 200,000 values, aliases counted in full"


def test_an_anchor_cannot_contain_itself():
    assert problems_of("a: &x\n  b: *x\n") == ("f.yaml:2: alias *x names nothing that is complete by here",)
    assert problems_of("a: &x 1\nb: &x [*x]\n") == ("f.yaml:2: alias *x names nothing that is complete by here",)
    assert problems_of("b: *gone\n") == ("f.yaml:1: alias *gone names nothing that is complete by here",)


def test_a_merge_key_is_a_key_like_any_other():
    assert read_yaml("a: &x {p: 1}\nb: {<<: *x}\n", "f.yaml")["b"] == {"<<": {"p": 1}}


def test_depth_is_bounded_without_recursion():
    assert problems_of("[" * 500_000) == (f"f.yaml:1: nested deeper than {MAX_DEPTH} levels",)
    assert read_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f.yaml")


def test_size_is_bounded():
    (problem,) = problems_of("a: " + "x" * 1_000_000)
    assert problem == "f.yaml:1: the file has 1,000,003 characters; at most 1,000,000 are read"


def test_only_one_document_a_file():
    assert problems_of("a: 1\n---\nb: 2\n") == ("f.yaml:2: a second document starts here; write one document a file",)
    assert read_yaml("---\na: 1\n...\n", "f.yaml") == {"a": 1}


@pytest.mark.parametrize("text", ["a: 1\nb: \x00", "a: 1\nb: \ud800", "a: 1\nb: \x07"])
def test_a_character_that_yaml_forbids_is_found_by_its_line(text):
    (problem,) = problems_of(text)
    assert problem.startswith("f.yaml:2: not YAML: ")


def test_a_number_beyond_its_range_is_refused_and_a_very_long_one_is_text():
    assert problems_of("a: 1e999") == ("f.yaml:1: 1e999 is beyond the range of a number",)
    assert read_yaml("a: " + "9" * 5000, "f.yaml") == {"a": "9" * 5000}


def test_fields_report_type_absence_choice_and_strangers_and_read_on():
    text = "id: 7\nkind: stabel\ncount: true\nbig: 99\ntags: [a, a, 3]\nopen: maybe\nbrif: x\nzzz: 1\n"
    findings = Findings("f.yaml")
    fields = Fields(read_yaml(text, "f.yaml"), findings, what="thing")
    assert fields.text("id") == ""
    assert fields.text("brief", required=True) == ""
    assert fields.text("kind", among=("stable", "deprecated")) == ""
    assert fields.integer("count", default=1, low=0, high=9) == 1
    assert fields.integer("big", default=1, low=0, high=9) == 1
    assert fields.texts("tags") == ("a",)
    assert fields.flag("open") is False
    fields.done()
    assert findings.told() == [
        'f.yaml:1: thing: id must be text, not 7; write "7" in quotes',
        "f.yaml:1: thing needs brief",
        "f.yaml:2: thing: kind cannot be 'stabel'; did you mean stable?",
        "f.yaml:3: thing: count must be an integer, not true",
        "f.yaml:4: thing: big must be between 0 and 9, not 99",
        "f.yaml:5: thing: tags lists 'a' twice",
        "f.yaml:5: thing: tags must list text, not 3",
        "f.yaml:6: thing: open must be true or false, not 'maybe'",
        "f.yaml:7: thing has no field 'brif'; did you mean brief?",
        "f.yaml:8: thing has no field 'zzz'; its fields are id, brief, kind, count, big, tags, open",
    ]


def test_fields_of_something_that_is_no_section_are_one_problem():
    findings = Findings("f.yaml")
    fields = Fields(["a"][0], findings, what="thing", line=4)
    assert fields.text("id", required=True) == ""
    assert fields.texts("tags", required=True) == ()
    assert fields.inner("more") == {}
    fields.done()
    assert findings.told() == ["f.yaml:4: thing must be fields with values, not 'a'"]


# JSON escapes what lies beyond the basic plane as two surrogates, which YAML does not know.
TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_a_writer_of_json_wrote_is_read_back(value):
    text = json.dumps(value, ensure_ascii=True)
    assert read_yaml(text, "f.yaml") == value


@given(st.text(alphabet="ab:-[]{}&*!<>|'\"#,? \n\t01", max_size=40))
def test_any_text_is_read_or_refused_with_its_line(text):
    try:
        read_yaml(text, "f.yaml")
    except Problems as refused:
        lines = {int(problem.split(":")[1]) for problem in refused.problems}
        assert all(1 <= line <= text.count("\n") + 1 for line in lines)
