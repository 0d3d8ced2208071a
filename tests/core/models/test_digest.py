from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.models.digest import changed_files, digest

names = st.dictionaries(
    st.text("abc/", min_size=1, max_size=6), st.text("0123456789abcdef", min_size=4, max_size=4), max_size=6
)


@given(names, names)
def test_two_manifests_share_a_digest_only_if_no_file_differs(one, other):
    assert (digest(one) == digest(other)) == (changed_files({"files": one}, other) == [])
