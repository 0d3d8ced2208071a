from ethogram import _HOMES
from ethogram.core.signals.aggregates import AGGREGATES, WORDS
from ethogram.core.signals.kernel import KERNELS
from ethogram.core.signals.reference import REFERENCE


def test_every_primitive_is_declared_defined_and_computed():
    assert set(AGGREGATES) == set(REFERENCE) == set(KERNELS)


def test_every_word_can_be_imported_from_ethogram():
    assert set(WORDS) <= set(_HOMES)
