"""A damaged handbook file is refused with every error in it, each by line."""

import pytest

from handbook.format.reader import read_handbook
from runbooks.domain.handbook_model import HandbookErrors
from tests.handbook.damaged_handbooks import BROKEN, DAMAGED, SEED


def refusal(data):
    with pytest.raises(HandbookErrors) as caught:
        read_handbook(data)
    return caught.value


@pytest.mark.parametrize(("there", "instead", "errors"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_with_what_is_wrong(there, instead, errors):
    assert there in SEED
    assert [str(error) for error in refusal(SEED.replace(there, instead, 1).encode()).errors] == errors


@pytest.mark.parametrize(("data", "errors"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_what_is_wrong(data, errors):
    assert [str(error) for error in refusal(data).errors] == errors


def test_a_refusal_reads_as_one_line_for_each_error():
    refused = refusal(SEED.replace("20-30", "0").replace("Week 2", "Week 9").encode())
    assert str(refused).split("\n") == [str(error) for error in refused.errors]
    assert [error.line for error in refused.errors] == [19, 29]
